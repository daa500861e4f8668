import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import * as admin from '../../src/gearman/admin-protocol.ts';
import {NotGearman, PacketTooLarge, Refusal} from '../../src/gearman/failure.ts';
import {request, splitArguments, untilEcho} from '../../src/gearman/packet.ts';
import type {Framing} from '../../src/gearman/wire.ts';
import {readPayload} from '../../src/queue/payload.ts';
import {anyText, holds, near} from './many.ts';

/** Answers nearly right, answers of nothing but bytes, and these cut anywhere. */
const LINES = near(
  'f',
  '\t',
  '0',
  '-1',
  '4294967295',
  '\n',
  '.',
  '.\n',
  'OK',
  ' ',
  'ERR ',
  'UNKNOWN_JOB',
  '1.1.20',
  ' : ',
  '30 ',
  '127.0.0.1',
  'H:x:1',
  '\r\n',
);
const anyBytes = fc.oneof(
  LINES.map((text) => Buffer.from(text)),
  LINES.map((text) => Buffer.from(`${text}\n.\n`)),
  fc.uint8Array({maxLength: 60}).map((bytes) => Buffer.from(bytes)),
);

/** Feeds an answer as the network might, a piece more each time. Only a parser's own errors may come of it. */
function feed<T>(framing: Framing<T>, bytes: Buffer, cuts: readonly number[]): T | undefined {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  try {
    for (const end of ends) {
      const answer = framing(bytes.subarray(0, end));
      if (answer !== undefined) return answer;
    }
  } catch (error) {
    const isRefused = [NotGearman, PacketTooLarge, Refusal].some((known) => error instanceof known);
    if (!isRefused) throw error;
  }
  return undefined;
}

const anyCuts = fc.array(fc.nat(), {maxLength: 3});
const COMMANDS: admin.AdminCommand<unknown>[] = [
  admin.status,
  admin.workers,
  admin.version,
  admin.showJobs,
  admin.showUniqueJobs,
  admin.cancelJob('H:x:1'),
  admin.dropFunction('f'),
];

describe('administrative answers', () => {
  test.each(COMMANDS)('any bytes as an answer to $text are read or refused', ({framing}) => {
    holds(fc.property(anyBytes, anyCuts, (bytes, cuts) => void feed(framing, bytes, cuts)));
  });

  test('the counts of a status stay in their bounds', () => {
    const number = fc.oneof(fc.integer(), fc.constantFrom(-1, 4294967295, 2 ** 53));
    holds(
      fc.property(number, number, fc.nat(), (total, running, workers) => {
        const rows = feed(
          admin.status.framing,
          Buffer.from(`f\t${Math.abs(total)}\t${running}\t${workers}\n.\n`),
          [],
        );
        for (const row of rows ?? []) {
          expect(row.running).toBeGreaterThanOrEqual(0);
          expect(row.running).toBeLessThanOrEqual(row.total);
        }
      }),
    );
  });
});

describe('binary answers', () => {
  const magic = fc.constantFrom('\0RES', '\0REQ', '\0RE', 'HTTP', '');
  const length = fc.oneof(fc.integer({min: 0, max: 20}), fc.constantFrom(2 ** 26, 2 ** 32 - 1));
  const packet = fc
    .tuple(magic, fc.integer({min: 0, max: 45}), length, fc.uint8Array({maxLength: 20}), fc.boolean())
    .map(([start, type, claimed, data, honest]) => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(type);
      head.writeUInt32BE(honest ? data.length : claimed, 4);
      return Buffer.concat([Buffer.from(start, 'latin1'), head, Buffer.from(data)]);
    });
  const packets = fc.oneof(
    fc.array(packet, {maxLength: 4}).map((parts) => Buffer.concat(parts)),
    fc.uint8Array({maxLength: 60}).map((bytes) => Buffer.from(bytes)),
  );

  test('any bytes are read as packets or refused', () => {
    holds(fc.property(packets, anyCuts, (bytes, cuts) => void feed(untilEcho(4), bytes, cuts)));
  });

  test('arguments come back as they were joined, or are refused for their number', () => {
    const plain = fc.string({unit: 'grapheme', maxLength: 8}).filter((text) => !text.includes('\0'));
    holds(
      fc.property(
        fc.array(plain, {minLength: 1, maxLength: 4}),
        fc.integer({min: 1, max: 5}),
        (args, count) => {
          const data = request(1, ...args).subarray(12);
          if (count > args.length) expect(() => splitArguments(data, count)).toThrow(NotGearman);
          else expect(splitArguments(data, count).join('\0')).toBe(args.join('\0'));
        },
      ),
    );
  });
});

test('the job id in a payload is a whole number above 0, or null', () => {
  const payload = fc.oneof(
    anyText,
    near(
      '{',
      '}',
      '"id"',
      ':',
      '1',
      '-',
      '0',
      '.5',
      'e9',
      '"7"',
      '[',
      ']',
      'null',
      ',',
      ' ',
      '99999999999999999999',
    ),
    fc.json(),
    fc.anything().map((id) => JSON.stringify({id}) ?? ''),
  );
  holds(
    fc.property(payload, (text) => {
      const {jobId, objectId} = readPayload(text);
      for (const id of [jobId, objectId]) {
        if (id !== null) expect(Number.isSafeInteger(id) && id > 0).toBe(true);
      }
    }),
  );
});
