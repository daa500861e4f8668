import {describe, expect, it} from 'vitest';
import {BY_SYSTEMD} from '../../../../src/host-commands.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {lockRefusal, oldHolds} from '../../../../src/queue/probe/old-holds.ts';
import {newProbeId} from '../../../../src/queue/probe/probe-id.ts';
import {queueStatus} from '../../../../src/queue/status.ts';
import {answering, PREFIX} from '../../../support/servers/server-reports.ts';

const BEGAN = Date.UTC(2026, 10, 26, 4);
const HOUR_LATER = BEGAN + 3_600_000;
const ID = newProbeId(BEGAN);
const A = `${PREFIX}-arFindingAidJob`;
const ADDRESS = {host: 'one', port: 4730};
const connection = (id: string, functions: string[]) => ({fd: 31, ip: '10.0.0.5', id, functions});

describe('old holds (T22)', () => {
  it('are connections under the name of a probe that have lasted longer than one', () => {
    const connections = [
      connection(ID, [PROBE_LOCK]),
      connection('atomctl-other', [A]),
      connection(newProbeId(HOUR_LATER), [A]),
      connection('pid_7_65', [A]),
      connection('atomctl-client', []),
    ];
    expect(oldHolds([{address: 'one:4730', connections}], HOUR_LATER)).toEqual([
      {address: 'one:4730', id: ID, ip: '10.0.0.5', sinceMs: BEGAN, locks: true, isHold: false},
      {address: 'one:4730', id: 'atomctl-other', ip: '10.0.0.5', sinceMs: null, locks: false, isHold: false},
    ]);
  });

  it('are a warning of queue:status, and no worker', () => {
    const report = answering('one:4730', [[A, 1, 1, 1]], {[ID]: [A]});
    const clock = {now: () => new Date(HOUR_LATER), toWall: (at: Date) => at.toISOString()};
    const {status, problems, functions} = queueStatus({
      servers: [report],
      prefix: PREFIX,
      jobClasses: [],
      all: true,
      clock,
      commands: BY_SYSTEMD,
    });
    expect([status, functions.map(({workers}) => workers)]).toEqual(['critical', [0]]);
    expect(problems).toEqual([
      expect.objectContaining({state: 'critical', message: expect.stringMatching(/^No worker of this site/)}),
      {
        state: 'warning',
        message: `The client ${ID} from 127.0.0.1 has held jobs or queues of one:4730 since 2026-11-26T04:00:00.000Z, longer than a probe of atomctl lasts.`,
        remedy: "end the process of this connection; to find it on 127.0.0.1: ss -tnp 'dport = :4730'",
      },
    ]);
  });

  it('are named by whoever cannot get the lock', () => {
    const refusal = (...ids: string[]) =>
      lockRefusal(ADDRESS, {
        connections: ids.map((id) => connection(id, [PROBE_LOCK])),
        nowMs: HOUR_LATER,
      });
    expect(refusal(ID)).toMatchObject({
      code: 'REFUSED',
      message: `The client ${ID} from 10.0.0.5 has held the probe lock of one:4730 since 2026-11-26T04:00:00Z, longer than a probe of atomctl lasts.`,
      hint: expect.stringContaining("ss -tnp 'dport = :4730'"),
    });
    const busy = 'Another atomctl is probing the queue of Gearman server one:4730.';
    expect(refusal(ID, newProbeId(HOUR_LATER)).message).toBe(busy);
    expect(refusal().message).toBe(busy);
  });
});
