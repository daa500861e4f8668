/** A Gearman server that hands out jobs as long as it is asked. */
import type {Socket} from 'node:net';
import {expect, test} from 'vitest';
import {PACKET} from '../../src/gearman/packet.ts';
import {ALL_AT_ONCE, GivenJobs, oneByOne} from '../../src/queue/probe/held-jobs.ts';
import {response, scriptedServer} from '../support/servers/scripted-server.ts';

/** Answers each GRAB_JOB_UNIQ with the same job, and each ECHO_REQ with its echo. */
function giveJobs(socket: Socket): void {
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const replies: Buffer[] = [];
    for (let length = 0; bytes.length >= 12; bytes = bytes.subarray(12 + length)) {
      length = bytes.readUInt32BE(8);
      if (bytes.length < 12 + length) break;
      const type = bytes.readUInt32BE(4);
      if (type === PACKET.GRAB_JOB_UNIQ)
        replies.push(response(PACKET.JOB_ASSIGN_UNIQ, 'H:same:1', 'f', 'key', '{}'));
      if (type === PACKET.ECHO_REQ) replies.push(response(PACKET.ECHO_RES, 'atomctl'));
    }
    socket.write(Buffer.concat(replies));
  });
}

test.each([
  ['one by one', oneByOne(3)],
  ['all at once', ALL_AT_ONCE],
])(
  '%s: a probe that is given the same job again and again ends, and its connections are closed',
  async (_how, way) => {
    let open = 0;
    const address = await scriptedServer((socket) => {
      open += 1;
      expect(open).toBeLessThan(20);
      socket
        .on('end', () => socket.end())
        .on('close', () => {
          open -= 1;
        });
      giveJobs(socket);
    });
    await expect(way.hold(address, ['f'], {timeoutSeconds: 5})).rejects.toMatchObject({
      code: 'GEARMAN_PROTOCOL',
    });
    await expect.poll(() => open).toBe(0);
  },
);

test('of new jobs without end, a probe takes no more than a list may have', () => {
  const given = new GivenJobs({host: '127.0.0.1', port: 4730});
  const add = (number: number) => given.add({handle: `H:new:${number}`});
  for (let number = 1; number <= 200_000; number += 1) add(number);
  expect(() => add(200_001)).toThrow('does not speak the Gearman protocol');
});
