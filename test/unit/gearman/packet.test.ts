import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {NotGearman, PacketTooLarge, Refusal} from '../../../src/gearman/failure.ts';
import {endWithEcho, PACKET, request, splitArguments, untilEcho} from '../../../src/gearman/packet.ts';
import {response} from '../../support/servers/scripted-server.ts';

const ECHO = response(PACKET.ECHO_RES, 'atomctl');

describe('request', () => {
  it('is magic, type, length and the arguments parted by NUL', () => {
    expect(request(PACKET.GET_STATUS, 'H:ü:1').toString('latin1')).toBe(
      `\0REQ\0\0\0\x0f\0\0\0\x06${Buffer.from('H:ü:1').toString('latin1')}`,
    );
    expect(request(PACKET.WORK_COMPLETE, 'H:1', '').subarray(12).toString()).toBe('H:1\0');
    expect(request(PACKET.GRAB_JOB_UNIQ)).toHaveLength(12);
  });

  it('is followed by an echo, which marks the end of the answers', () => {
    const bytes = endWithEcho([request(PACKET.CAN_DO, 'f')], 'CAN_DO').request as Buffer;
    expect(bytes.readUInt32BE(4)).toBe(PACKET.CAN_DO);
    expect(bytes.readUInt32BE(13 + 4)).toBe(PACKET.ECHO_REQ);
  });
});

describe('splitArguments', () => {
  it('leaves the NULs of the last argument alone', () => {
    expect(splitArguments(Buffer.from('H:1\0f\0u\0a\0b'), 4)).toEqual(['H:1', 'f', 'u', 'a\0b']);
    expect(splitArguments(Buffer.from('k\x000\x000'), 3)).toEqual(['k', '0', '0']);
  });

  it('refuses a packet with fewer', () => {
    expect(() => splitArguments(Buffer.from('H:1\0f'), 4)).toThrow(NotGearman);
  });
});

describe('untilEcho', () => {
  it('reads any packets however they are cut up on the way', () => {
    const packets = fc.array(fc.tuple(fc.constantFrom(8, 10, 20, 31, 42), fc.string()), {maxLength: 8});
    fc.assert(
      fc.property(packets, fc.array(fc.nat(400), {maxLength: 6}), (sent, cuts) => {
        const all = Buffer.concat([...sent.map(([type, text]) => response(type, text)), ECHO]);
        const framing = untilEcho(8);
        for (const end of cuts.filter((cut) => cut < all.length).sort((a, b) => a - b)) {
          expect(framing(all.subarray(0, end))).toBeUndefined();
        }
        const read = framing(all)?.map(({type, data}) => [type, data.toString()]);
        expect(read).toEqual(sent);
      }),
      {numRuns: 200},
    );
  });

  it('throws an ERROR packet as a refusal with its code', () => {
    const bytes = response(PACKET.ERROR, 'JOB_NOT_FOUND', 'Job given in work result not found');
    expect(() => untilEcho(8)(bytes)).toThrow(new Refusal('JOB_NOT_FOUND'));
  });

  it.each([
    ['more packets than requests', NotGearman, Buffer.alloc(9 * 12, response(PACKET.NO_JOB))],
    ['text', NotGearman, Buffer.from('ERR unknown')],
    ['a request', NotGearman, request(PACKET.ECHO_REQ)],
    ['a packet of two gigabytes', PacketTooLarge, Buffer.from('\0RES\0\0\0\x08\x7f\xff\xff\xff', 'latin1')],
  ])('refuses %s at once', (_name, error, bytes) => {
    expect(() => untilEcho(8)(bytes)).toThrow(error);
  });
});
