import {once} from 'node:events';
import {connect} from 'node:net';

/** Gearman's binary packet types, as far as a worker and a client need them. */
export const TYPE = {
  CAN_DO: 1,
  PRE_SLEEP: 4,
  NOOP: 6,
  JOB_CREATED: 8,
  GRAB_JOB: 9,
  NO_JOB: 10,
  JOB_ASSIGN: 11,
  WORK_COMPLETE: 13,
  WORK_FAIL: 14,
  GET_STATUS: 15,
  ECHO_REQ: 16,
  ECHO_RES: 17,
  SUBMIT_JOB_BG: 18,
  ERROR: 19,
  SET_CLIENT_ID: 22,
};

const HEADER_BYTES = 12;

/**
 * A connection to a Gearman server, kept apart from src/gearman so that a mistake there cannot hide here.
 * @param {string} endpoint `host:port`
 */
export async function connectGearman(endpoint) {
  const at = endpoint.lastIndexOf(':');
  const socket = connect({host: endpoint.slice(0, at), port: Number(endpoint.slice(at + 1))});
  const arrived = [];
  let waiting = [];
  let buffer = Buffer.alloc(0);
  const wake = () => {
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  socket.on('data', (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= HEADER_BYTES && buffer.length >= HEADER_BYTES + buffer.readUInt32BE(8)) {
      const end = HEADER_BYTES + buffer.readUInt32BE(8);
      arrived.push({type: buffer.readUInt32BE(4), fields: splitFields(buffer.subarray(HEADER_BYTES, end))});
      buffer = buffer.subarray(end);
    }
    wake();
  });
  let closed = false;
  socket.on('close', () => {
    closed = true;
    wake();
  });
  await once(socket, 'connect');
  socket.on('error', () => {});
  return {
    send(type, ...fields) {
      socket.write(packet(type, fields));
    },
    /** Resolves once a packet is there to be received, or the server has gone. */
    async arrival() {
      if (arrived.length > 0 || closed) return;
      await new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    /** The next packet; null once the server has gone. */
    async receive() {
      await this.arrival();
      return arrived.shift() ?? null;
    },
    close() {
      socket.destroy();
    },
  };
}

function packet(type, fields) {
  const body = Buffer.from(fields.join('\0'));
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('\0REQ', 'latin1');
  header.writeUInt32BE(type, 4);
  header.writeUInt32BE(body.length, 8);
  return Buffer.concat([header, body]);
}

/** No field that these packet types carry holds a zero byte. */
function splitFields(body) {
  return body.toString('utf8').split('\0');
}
