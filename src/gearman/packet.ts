/**
 * Gearman's binary protocol, the part that atomctl needs. A packet is a magic word, a type, a length and that many
 * bytes, which are arguments separated by NUL; the last argument may contain NULs.
 */
import {NotGearman, PacketTooLarge, Refusal} from './failure.ts';
import {type Exchange, MAX_PACKET_BYTES} from './wire.ts';

/** Packet types and their numbers on the wire. */
export const PACKET = {
  CAN_DO: 1,
  RESET_ABILITIES: 3,
  SUBMIT_JOB: 7,
  JOB_CREATED: 8,
  NO_JOB: 10,
  WORK_COMPLETE: 13,
  WORK_FAIL: 14,
  GET_STATUS: 15,
  ECHO_REQ: 16,
  ECHO_RES: 17,
  SUBMIT_JOB_BG: 18,
  ERROR: 19,
  STATUS_RES: 20,
  SET_CLIENT_ID: 22,
  GRAB_JOB_UNIQ: 30,
  JOB_ASSIGN_UNIQ: 31,
  SUBMIT_JOB_HIGH_BG: 32,
  SUBMIT_JOB_LOW_BG: 34,
  SUBMIT_JOB_EPOCH: 36,
  GET_STATUS_UNIQUE: 41,
  STATUS_RES_UNIQUE: 42,
} as const;

export interface Packet {
  type: number;
  data: Buffer;
}

const HEADER_BYTES = 12;
const NUL = '\0';
const NUL_BYTE = 0;

/** A request's bytes. */
export function request(type: number, ...args: (string | Buffer)[]): Buffer {
  const data = args.flatMap((argument, index) => [
    ...(index === 0 ? [] : [Buffer.of(NUL_BYTE)]),
    typeof argument === 'string' ? Buffer.from(argument) : argument,
  ]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('\0REQ', 'latin1');
  header.writeUInt32BE(type, 4);
  header.writeUInt32BE(
    data.reduce((sum, {length}) => sum + length, 0),
    8,
  );
  return Buffer.concat([header, ...data]);
}

/** The first `count` arguments of a packet; the last of them takes the rest, NULs included. */
export function splitArguments(data: Buffer, count: number): string[] {
  return splitBytes(data, count).map((part) => part.toString('utf8'));
}

/** The same as bytes: a payload need not be UTF-8. */
export function splitBytes(data: Buffer, count: number): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  while (parts.length < count - 1) {
    const end = data.indexOf(NUL_BYTE, start);
    if (end < 0) throw new NotGearman('too few arguments');
    parts.push(data.subarray(start, end));
    start = end + 1;
  }
  return [...parts, data.subarray(start)];
}

/**
 * Makes one exchange of any requests: an ECHO after them marks the end of the replies. So a command that has no reply
 * (CAN_DO, RESET_ABILITIES, WORK_FAIL) is known to be executed, and a command that a server ignores does not wait for
 * the deadline. The packets before the echo are the answer; an ERROR packet is thrown as a Refusal.
 * @param command the name of the requests, for errors
 */
export function endWithEcho(requests: readonly Buffer[], command: string): Exchange<Packet[]> {
  return {
    request: Buffer.concat([...requests, request(PACKET.ECHO_REQ, 'atomctl')]),
    command,
    framing: untilEcho(requests.length),
    limitBytes: MAX_PACKET_BYTES,
  };
}

/** Reads the packets up to the echo. @param most how many there may be: a request has one reply at most */
export function untilEcho(most: number): Exchange<Packet[]>['framing'] {
  const packets: Packet[] = [];
  let offset = 0;
  return (bytes) => {
    for (;;) {
      const next = packetAt(bytes, offset);
      if (!next) return undefined;
      offset += HEADER_BYTES + next.data.length;
      if (next.type === PACKET.ERROR) throw new Refusal(next.data.toString('latin1').split(NUL, 1)[0]);
      if (next.type === PACKET.ECHO_RES) return packets;
      packets.push(next);
      if (packets.length > most) throw new NotGearman('more packets than requests');
    }
  };
}

function packetAt(bytes: Buffer, offset: number): Packet | undefined {
  const magic = bytes.toString('latin1', offset, offset + 4);
  if (!'\0RES'.startsWith(magic)) throw new NotGearman('no packet');
  if (bytes.length < offset + HEADER_BYTES) return undefined;
  const length = bytes.readUInt32BE(offset + 8);
  if (length > MAX_PACKET_BYTES) throw new PacketTooLarge();
  const start = offset + HEADER_BYTES;
  if (bytes.length < start + length) return undefined;
  // A copy: the inbox overwrites its bytes with the next reply.
  return {type: bytes.readUInt32BE(offset + 4), data: Buffer.from(bytes.subarray(start, start + length))};
}
