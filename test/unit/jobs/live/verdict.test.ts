import {describe, expect, it} from 'vitest';
import type {LiveEvidence, QueueCount, RowEvidence} from '../../../../src/jobs/live/evidence.ts';
import {LOST_CLAUSES} from '../../../../src/jobs/live/lost-proof.ts';
import {PROOFS} from '../../../../src/jobs/live/proofs.ts';
import {liveVerdicts} from '../../../../src/jobs/live/verdict.ts';
import {payload} from '../health/a-queue.ts';
import {
  A,
  B,
  begun,
  connection,
  DAY,
  ELSEWHERE,
  evidence,
  FINDING_AIDS,
  FOREIGN,
  HOUR,
  host,
  importOf,
  keyless,
  MINUTE,
  NOW,
  processes,
  queue,
  row,
  running,
  server,
  shown,
  verdict,
  waiting,
  worker,
} from './given.ts';

describe('executing', () => {
  it.each<[string, LiveEvidence]>([
    ['a server knows its key as running', evidence([begun(1, running())], {queues: [queue(1, 1)]})],
    [
      'its key is known as running under the prefix of another root (T1)',
      evidence([begun(1, running())], {queues: [queue(1, 1, {owner: 'unknown'})]}),
    ],
    [
      'though another server does not answer',
      evidence([begun(1, running())], {
        queues: [queue(1, 1)],
        servers: [server(), server({address: B, error: 'No answer.'})],
      }),
    ],
    ['its log grew between two reads (T2)', evidence([begun(1, {logGrew: true})])],
    [
      'its log grew, although a server has it waiting',
      evidence([begun(1, {logGrew: true, ...waiting()})], {queues: [queue(1, 0)]}),
    ],
    [
      'a process imports its file (T3)',
      evidence([begun(1, {name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []})], {
        host: host(processes({imports: [importOf('/tmp/up.csv')]})),
      }),
    ],
    [
      'it runs beside a job whose key is known, and nothing else may be it (T7)',
      evidence([begun(1, {key: 'none', keyAsked: false}), begun(2, running())], {queues: [queue(2, 2)]}),
    ],
    [
      'two begun rows without keys and two running jobs on two servers',
      evidence(
        [keyless(1, {queues: [FINDING_AIDS, ELSEWHERE]}), keyless(2, {queues: [FINDING_AIDS, ELSEWHERE]})],
        {
          queues: [queue(1, 1), queue(1, 1, {queue: ELSEWHERE, server: B})],
          servers: [server(), server({address: B})],
        },
      ),
    ],
  ])('%s', (_, given) => expect(shown(given)).toBe('executing'));

  it.each<[string, LiveEvidence, string]>([
    [
      'another atomctl holds jobs of the server',
      evidence([begun(1, running())], {queues: [queue(1, 1)], servers: [server({probing: true})]}),
      '?',
    ],
    [
      'a client under the name of a probe can hold it, and stays (T22)',
      evidence([begun(1, running())], {
        queues: [queue(1, 1)],
        workers: [connection(null, {id: 'atomctl-x'})],
      }),
      '?',
    ],
    [
      'by count, one of the jobs waits',
      evidence([keyless(1), keyless(2)], {queues: [queue(2, 1)]}),
      'executing?',
    ],
    [
      'by count, more rows than jobs',
      evidence([keyless(1), keyless(2)], {queues: [queue(1, 1)]}),
      'executing?',
    ],
    [
      'by count, of a row without a log: the job may be one without a row',
      evidence([row(1)], {queues: [queue(1, 1)]}),
      'executing?',
    ],
    [
      "by count, in a queue that may be another site's",
      evidence([keyless(1)], {queues: [queue(1, 1, {owner: 'unknown'})]}),
      'executing?',
    ],
    [
      'by count, the only worker that can do it started after the job began: the running job is another one',
      evidence([begun(1, {key: 'none', keyAsked: false})], {
        queues: [queue(1, 1)],
        host: host(processes({workers: [worker(9, {startedMs: NOW - MINUTE})]})),
        workers: [connection(9)],
      }),
      'executing?',
    ],
    [
      'by count, a row of its class has ended before its log did',
      evidence([begun(1, {key: 'none', keyAsked: false})], {
        queues: [queue(1, 1)],
        ended: [{name: 'arFindingAidJob', latestMs: NOW - DAY, atWork: true, importFiles: []}],
      }),
      'executing?',
    ],
    [
      'by count, while a server that AtoM names was not asked: the job may wait there',
      evidence([keyless(1)], {queues: [queue(1, 1)], host: host({serversNotAsked: [B]})}),
      '?',
    ],
    [
      'by count, on a database that may be behind',
      evidence([begun(1, {key: 'none', keyAsked: false})], {queues: [queue(1, 1)], writable: false}),
      'executing?',
    ],
    [
      'its log grew on a database that may be behind',
      evidence([begun(1, {logGrew: true})], {writable: false}),
      'lost?',
    ],
    ['by count, while counts change', evidence([keyless(1)], {queues: [queue(1, 1)], unchanged: false}), '?'],
    [
      'by count, but a job of its class has ended since it began',
      evidence([keyless(1)], {
        queues: [queue(1, 1)],
        ended: [{name: 'arFindingAidJob', latestMs: NOW - 20 * MINUTE, atWork: false, importFiles: []}],
      }),
      'executing?',
    ],
    [
      'a process imports a file that an ended row has too',
      evidence([begun(1, {name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []})], {
        host: host(processes({imports: [importOf('/tmp/up.csv')]})),
        ended: [{name: 'arFileImportJob', latestMs: NOW - DAY, atWork: false, importFiles: ['/tmp/up.csv']}],
      }),
      'executing?',
    ],
    [
      'by count, but the server was restarted since it began',
      evidence([keyless(1)], {queues: [queue(1, 1)], servers: [server({startedMs: NOW - 10 * MINUTE})]}),
      'executing?',
    ],
    [
      'a process imports its file, but the database may be a replica',
      evidence([begun(1, {name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []})], {
        host: host(processes({imports: [importOf('/tmp/up.csv')]})),
        writable: false,
      }),
      'lost?',
    ],
    [
      'a process imports its file and is older than the job',
      evidence([begun(1, {name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []})], {
        host: host(processes({imports: [importOf('/tmp/up.csv', NOW - 2 * HOUR)]})),
      }),
      'executing?',
    ],
    [
      'a process imports its file, but when its job began is not stored',
      evidence(
        [
          begun(1, {
            ...{name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []},
            begun: {earliestMs: null, lastMs: null},
          }),
        ],
        {host: host(processes({imports: [importOf('/tmp/up.csv')]}))},
      ),
      'executing?',
    ],
    [
      'a process imports its file and may be older than the job, since the clock is not sure',
      evidence([begun(1, {name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []})], {
        host: host({
          ...processes({imports: [importOf('/tmp/up.csv')]}),
          clock: {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: 'x'},
        }),
      }),
      'executing?',
    ],
    [
      'a process imports a file that another row has too',
      evidence(
        [1, 2].map((id) => begun(id, {name: 'arFileImportJob', importFile: '/tmp/up.csv', queues: []})),
        {
          host: host(
            processes({imports: [worker(9, {argv: ['php', 'symfony', 'csv:import', '/tmp/up.csv']})]}),
          ),
        },
      ),
      'executing?',
    ],
  ])('is not claimed: %s', (_, given, state) => expect(shown(given)).toBe(state));

  it('bounds a client that never leaves to the queues that it can do (T22)', () => {
    const other = `p-arObjectMoveJob ${A}`;
    const given = evidence([begun(1, running()), begun(2, {...running(other), queues: [other]})], {
      queues: [queue(1, 1), queue(1, 1, {queue: other})],
      workers: [connection(null, {id: 'atomctl-x'})],
    });
    expect([shown(given, 1), shown(given, 2)]).toEqual(['?', 'executing']);
    expect(verdict(given).reason).toBe(
      'The client atomctl-x from 127.0.0.1 holds jobs of a:4730 and may hold this one.',
    );
  });
});

describe('queued', () => {
  it.each<[string, LiveEvidence, RegExp]>([
    [
      'a server knows its key as not running, and it will run again (T21)',
      evidence([begun(1, {...waiting(), begunAt: '2026-03-04 03:10:00'})], {queues: [queue(1, 0)]}),
      /^It waits on a:4730, begun at 2026-03-04 03:10:00: it will run again from its start\.$/,
    ],
    [
      'its payload was seen',
      evidence([row(1)], {queues: [queue(1, 0)], payloads: [payload(FINDING_AIDS, 1)]}),
      /^Its payload was seen waiting\.$/,
    ],
    [
      'under the prefix of another root or workers_key (T1)',
      evidence([begun(1, waiting())], {queues: [queue(1, 0, FOREIGN)]}),
      /^It waits on a:4730 under another function prefix \(f{32}\), begun/,
    ],
    [
      'its payload was seen, although a cancelled entry has its key',
      evidence([begun(1, waiting())], {
        queues: [queue(1, 0)],
        servers: [server({ignored: 1})],
        payloads: [payload(FINDING_AIDS, 1)],
      }),
      /payload/,
    ],
  ])('%s', (_, given, reason) => {
    expect(shown(given)).toBe('queued');
    expect(verdict(given).reason).toMatch(reason);
  });

  it.each<[string, LiveEvidence]>([
    [
      'counts alone: the job may have no row, the row no job (T8)',
      evidence([row(1)], {queues: [queue(1, 0)]}),
    ],
    [
      'the server has cancelled entries, and this may be one',
      evidence([begun(1, waiting())], {queues: [queue(1, 0)], servers: [server({ignored: 1})]}),
    ],
  ])('is only likely: %s', (_, given) => expect(shown(given)).toBe('queued?'));

  it('is not claimed for a payload in a queue that cannot hold the job: it is of another site with the same prefix', () => {
    const moves = `p-arObjectMoveJob ${A}`;
    const given = evidence([row(1)], {
      queues: [queue(1, 0, {queue: moves})],
      payloads: [payload(moves, 1)],
    });
    expect(shown(given)).toBe('lost');
  });

  it('with a probe that saw another job, the row without a job is lost (T8)', () => {
    const given = evidence([row(1)], {queues: [queue(1, 0)], payloads: [payload(FINDING_AIDS, 99)]});
    expect(shown(given)).toBe('lost');
  });
});

describe('finished', () => {
  it.each<[string, LiveEvidence, RegExp]>([
    [
      'its log says so and no server has it (T12)',
      evidence([begun(1, {finished: true})]),
      /only the row was not saved/,
    ],
    ['after an error', evidence([begun(1, {finished: true, failed: true})]), /after an error/],
    [
      'although a worker process runs and the log is fresh',
      evidence([begun(1, {finished: true, lastActivityMs: NOW})], {
        host: host(processes({workers: [worker(9)]})),
        workers: [connection(9)],
      }),
      /Job finished/,
    ],
    ['twice begun, and no worker is left', evidence([begun(1, {finished: true, starts: 2})]), /Job finished/],
  ])('%s', (_, given, reason) => {
    expect(shown(given)).toBe('finished');
    expect(verdict(given).reason).toMatch(reason);
  });

  it.each<[string, LiveEvidence, string]>([
    [
      'it runs again',
      evidence([begun(1, {finished: true, ...running()})], {queues: [queue(1, 1)]}),
      'executing',
    ],
    [
      'it waits again',
      evidence([begun(1, {finished: true, ...waiting()})], {queues: [queue(1, 0)]}),
      'queued',
    ],
    [
      'a server does not answer',
      evidence([begun(1, {finished: true})], {servers: [server({error: 'No answer.'})]}),
      'finished?',
    ],
    [
      'the configuration changed since, so a server that is not named any more may have it',
      evidence([begun(1, {finished: true})], {host: host({configChangedMs: NOW - MINUTE})}),
      'finished?',
    ],
    [
      'a worker began it twice, and one that may go on with the first run lives',
      evidence([begun(1, {finished: true, starts: 2})], {
        host: host(processes({workers: [worker(9, {startedMs: NOW - 2 * DAY})]})),
      }),
      'finished?',
    ],
    [
      'a job may be it: its key is not known',
      evidence([begun(1, {finished: true, key: 'none', keyAsked: false})], {queues: [queue(1, 1)]}),
      'finished?',
    ],
  ])('is not claimed: %s', (_, given, state) => expect(shown(given)).toBe(state));
});

/** For each clause of the proof: evidence that lacks it alone. */
const LACKING: Record<string, {lost: LiveEvidence; reason: RegExp; likely: string | null}> = {
  'every server answered': {
    lost: evidence([begun(1)], {servers: [server({error: 'Gearman server a:4730 did not answer.'})]}),
    reason: /^Gearman server a:4730 did not answer\.$/,
    likely: null,
  },
  'every server that AtoM names was asked': {
    lost: evidence([begun(1)], {host: host({serversNotAsked: ['b:4730']})}),
    reason: /^AtoM's files name the Gearman server b:4730, but atomctl did not ask it/,
    likely: null,
  },
  'the servers are those of the site': {
    lost: evidence([begun(1)], {host: host({serversDoubt: 'It is not known.'})}),
    reason: /^It is not known\.$/,
    likely: null,
  },
  'no other atomctl holds jobs': {
    lost: evidence([begun(1)], {servers: [server({probing: true})]}),
    reason: /^Another atomctl holds jobs of a:4730/,
    likely: null,
  },
  'counts and keys speak of one moment': {
    lost: evidence([row(1)], {
      queues: [queue(1, 0)],
      payloads: [payload(FINDING_AIDS, 9)],
      unchanged: false,
    }),
    reason: /changed while atomctl read it/,
    likely: null,
  },
  'no queue has room for it': {
    lost: evidence([begun(1, {key: 'doubtful'})], {queues: [queue(1, 1, FOREIGN)]}),
    reason:
      /^It may be the job under another function prefix \(f{32}\), but the parameters in its log do not show its key exactly\.$/,
    likely: 'executing',
  },
  'the database is not a replica': {
    lost: evidence([begun(1)], {writable: false}),
    reason: /replica/,
    likely: 'lost',
  },
  'the configuration is older than the job': {
    lost: evidence([begun(1)], {host: host({configChangedMs: NOW - MINUTE})}),
    reason: /changed after the job was created/,
    likely: 'lost',
  },
  'the row is not new': {
    lost: evidence([row(1, {createdMs: NOW - 14_000})]),
    reason: /^It is new/,
    likely: null,
  },
  'the processes of this host can be read': {
    lost: evidence([begun(1)], {host: host(processes({unreadable: 'They are hidden.'}))}),
    reason: /They are hidden\.$/,
    likely: 'lost',
  },
  'no process here can be working on it': {
    lost: evidence([begun(1)], {host: host(processes({workers: [worker(9)]}))}),
    reason: /^Worker process 9 may be running it, because it is not connected to every Gearman server\.$/,
    likely: 'executing',
  },
  'every worker process here is connected': {
    lost: evidence([row(1, {queues: []})], {host: host(processes({workers: [worker(9)]}))}),
    reason: /^Worker process 9 may have received it, because it is not connected to every Gearman server\.$/,
    likely: 'lost',
  },
  'workers run only on this host': {
    lost: evidence([begun(1)], {servers: [server({onlyLoopback: false})]}),
    reason: /workers: this-host/,
    likely: 'lost',
  },
  'its log is silent, or the servers are older': {
    lost: evidence([begun(1, {lastActivityMs: NOW - 14 * MINUTE})]),
    reason: /^The last line of its log is 14m old, and a Gearman server/,
    likely: 'executing',
  },
};

describe('lost', () => {
  it.each<[string, LiveEvidence]>([
    ['no worker ever began it and no queue has a job', evidence([row(1, {queues: []})])],
    ['it began, its key is known nowhere, and no worker can have it', evidence([begun(1)])],
    ['whatever else waits under other keys', evidence([begun(1)], {queues: [queue(9, 3)]})],
    ['its key is known nowhere, although the queue changes', evidence([begun(1)], {unchanged: false})],
    [
      'no queue may hold it, although other queues change',
      evidence([row(1, {queues: []})], {unchanged: false}),
    ],
    [
      'it is not an import, although one is going on',
      evidence([begun(1)], {host: host(processes({imports: [importOf('/tmp/up.csv')]}))}),
    ],
    [
      'a worker is idle and connected',
      evidence([begun(1)], {host: host(processes({workers: [worker(9)]})), workers: [connection(9)]}),
    ],
    [
      'a worker is busy with a job that is explained',
      evidence([begun(1), begun(2, running())], {
        queues: [queue(1, 1)],
        host: host(processes({workers: [worker(9)]})),
        workers: [connection(9)],
      }),
    ],
    [
      'the only worker process started after it began and is connected, although a job runs that no row explains',
      evidence([begun(1, {queues: []})], {
        host: host(processes({workers: [worker(9, {startedMs: NOW - MINUTE})]})),
        queues: [queue(1, 1)],
        workers: [connection(9)],
      }),
    ],
    [
      'the log is fresh, but the servers are older than the job',
      evidence([begun(1, {lastActivityMs: NOW})], {servers: [server({startedMs: NOW - DAY})]}),
    ],
    [
      'Gearman listens on the network, but workers are stated to run here',
      evidence([begun(1)], {servers: [server({onlyLoopback: false})], host: host({workersStatedHere: true})}),
    ],
    [
      'the clock is not sure, but the row is older than any zone can be wrong',
      evidence([row(1, {createdMs: NOW - 27 * HOUR, queues: []})], {
        host: host({
          clock: {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: 'x'},
          configChangedMs: NOW - 90 * DAY,
        }),
      }),
    ],
    [
      'the clock is not sure, but it was in no queue ten seconds ago (T9)',
      evidence([row(1, {createdMs: NOW - HOUR, queues: []})], {
        host: host({
          clock: {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: 'x'},
          configChangedMs: NOW - 90 * DAY,
        }),
        seenBefore: new Set([1]),
      }),
    ],
    [
      "an import runs whose file is another row's",
      evidence(
        [
          begun(1, {name: 'arFileImportJob', queues: []}),
          begun(2, {name: 'arFileImportJob', queues: [], importFile: '/tmp/2.csv'}),
        ],
        {
          host: host(
            processes({imports: [worker(9, {argv: ['php', 'symfony', 'csv:import', '/tmp/2.csv']})]}),
          ),
        },
      ),
    ],
  ])('%s', (_, given) => expect(shown(given)).toBe('lost'));

  it('has a test for each clause of its proof', () => {
    expect(Object.keys(LACKING).sort()).toEqual(LOST_CLAUSES.map(({name}) => name).sort());
  });

  it.each(LOST_CLAUSES.map(({name}) => name))('needs: %s', (name) => {
    const {lost, reason, likely} = LACKING[name]!;
    expect(verdict(lost)).toEqual({state: 'uncertain', likely, reason: expect.stringMatching(reason)});
    const without = PROOFS.map((proof) => ({
      ...proof,
      clauses: proof.clauses.filter((clause) => clause.name !== name),
    }));
    expect(liveVerdicts(lost, without).get(1)!.state).toBe('lost');
  });

  it.each<[string, LiveEvidence, string]>([
    [
      'a worker is connected to one server of two',
      evidence([begun(1)], {
        servers: [server(), server({address: B})],
        host: host(processes({workers: [worker(9)]})),
        workers: [connection(9)],
      }),
      'executing?',
    ],
    [
      'a worker is connected, but a job runs that no row explains',
      evidence([begun(1, {queues: []})], {
        queues: [queue(1, 1)],
        host: host(processes({workers: [worker(9)]})),
        workers: [connection(9)],
      }),
      'executing?',
    ],
    [
      'a worker is connected whose process is not here',
      evidence([begun(1)], {workers: [connection(9)]}),
      'lost?',
    ],
    [
      'the only worker process started some seconds after it began, which rounded times may not show',
      evidence([begun(1)], {
        host: host(processes({workers: [worker(9, {startedMs: NOW - 50 * MINUTE + 9000})]})),
      }),
      'executing?',
    ],
    [
      'the servers started some seconds before it began, and the log is fresh',
      evidence([begun(1, {lastActivityMs: NOW})], {
        servers: [server({startedMs: NOW - 50 * MINUTE - 9000})],
      }),
      'executing?',
    ],
    ['the last line of the log is not known', evidence([begun(1, {lastActivityMs: null})]), 'lost?'],
    [
      'one server was restarted since it began, and the log is fresh',
      evidence([begun(1, {lastActivityMs: NOW})], {
        servers: [server({startedMs: NOW - DAY}), server({address: B, startedMs: NOW - MINUTE})],
      }),
      'executing?',
    ],
    [
      'an import runs that no row explains',
      evidence([begun(1, {name: 'arFileImportJob', queues: []})], {
        host: host(processes({imports: [worker(9)]})),
      }),
      'executing?',
    ],
    [
      'a worker is loose, although neither clock nor configuration is sure',
      evidence([begun(1)], {
        host: host({
          ...processes({workers: [worker(9, {startedMs: NOW - 2 * DAY})]}),
          clock: {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: "PHP's clock is unknown."},
        }),
      }),
      'executing?',
    ],
    [
      'a worker process started after it began, and is not connected: it may have been given it again',
      evidence([begun(1)], {host: host(processes({workers: [worker(9, {startedMs: NOW - MINUTE})]}))}),
      'executing?',
    ],
    [
      'a worker process is not connected, and one in a container has its PID',
      evidence([row(1, {queues: []})], {
        host: host(processes({workers: [worker(9)]})),
        workers: [connection(9, {ip: '172.17.0.3', fromHere: false})],
      }),
      'lost?',
    ],
    [
      'a worker process is not connected, and when the job was created is not stored',
      evidence([row(1, {createdMs: null, queues: []})], {
        host: host({...processes({workers: [worker(9)]}), configChangedMs: null}),
        seenBefore: new Set([1]),
      }),
      'lost?',
    ],
    [
      'a worker in a container has the PID of one here',
      evidence([begun(1)], {
        host: host(processes({workers: [worker(9)]})),
        workers: [connection(9), connection(9, {id: 'pid_9_aa', ip: '172.17.0.3', fromHere: false})],
      }),
      'lost?',
    ],
    [
      'its log is cut, so that it may have begun after the start of the worker that is connected',
      evidence([begun(1, {begun: {earliestMs: NOW - 50 * MINUTE, lastMs: null}, queues: []})], {
        queues: [queue(1, 1)],
        host: host(processes({workers: [worker(9, {startedMs: NOW - MINUTE})]})),
        workers: [connection(9)],
      }),
      'executing?',
    ],
    [
      'it may be a job that waits, and what this host can tell was not asked',
      evidence([row(1)], {queues: [queue(1, 0)], host: null}),
      'queued?',
    ],
    [
      'its start lies in the future, so the zone is wrong (T10)',
      evidence([row(1, {createdMs: NOW + HOUR, queues: []})]),
      'lost?',
    ],
    [
      'the clock is not sure and the row is younger than 26 hours (T9)',
      evidence([row(1, {createdMs: NOW - 25 * HOUR, queues: []})], {
        host: host({
          clock: {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: "PHP's clock is unknown."},
          configChangedMs: null,
        }),
      }),
      'lost?',
    ],
  ])('is not claimed: %s', (_, given, state) => expect(shown(given)).toBe(state));

  it.each<[string, LiveEvidence, RegExp]>([
    [
      'processes are hidden that may have been given a job that never began',
      evidence([row(1, {queues: []})], {host: host(processes({unreadable: 'They are hidden.'}))}),
      /They are hidden\.$/,
    ],
    [
      'no server was asked',
      evidence([row(1, {queues: []})], {servers: []}),
      /^No Gearman server was asked\.$/,
    ],
    [
      'the configuration changed less than a minute before',
      evidence([begun(1)], {host: host({configChangedMs: begun(1).createdMs! - MINUTE / 2})}),
      /changed after the job was created or in the minute before, so/,
    ],
    [
      'the hour came twice, and the configuration changed between the two',
      evidence([begun(1, {createdEarliestMs: begun(1).createdMs! - HOUR})], {
        host: host({configChangedMs: begun(1).createdMs! - HOUR / 2}),
      }),
      /changed after the job was created/,
    ],
  ])('is not proved if %s', (_, seen, reason) => {
    expect(verdict(seen)).toMatchObject({state: 'uncertain', reason: expect.stringMatching(reason)});
  });

  it.each<[string, Partial<RowEvidence>, QueueCount, string]>([
    [
      'its parameters are cut (T7)',
      {key: 'cut'},
      queue(1, 1),
      'It may be the job in its queue, but the parameters in its log are cut, so atomctl cannot ask a server for its key.',
    ],
    [
      'AtoM 2.6 logs no parameters, and the job is under another prefix (T1)',
      {key: 'none'},
      queue(3, 1, FOREIGN),
      `It may be one of 3 jobs under another function prefix (${'f'.repeat(32)}), but its log shows no parameters, so atomctl cannot ask a server for its key.`,
    ],
  ])('says why a job in a queue may be this one: %s', (_, more, count, reason) => {
    const given = evidence([begun(1, {keyAsked: false, ...more})], {queues: [count], unchanged: false});
    expect(verdict({...given, unchanged: true, writable: false}).reason).toBe(reason);
  });

  it.each<[string, Partial<RowEvidence>, string]>([
    [
      'in both readings of a repeated hour (T10)',
      {createdMs: NOW + 2 * HOUR, createdEarliestMs: NOW + HOUR},
      'Its start is in the future, so the timezone is wrong.',
    ],
    [
      'in the later reading of a repeated hour alone (T11)',
      {createdMs: NOW + HOUR - MINUTE, createdEarliestMs: NOW - MINUTE},
      'Its start is in the hour that the clock shows twice, so its age is not certain.',
    ],
    [
      'by less than two hosts may differ',
      {createdMs: NOW + MINUTE, createdEarliestMs: NOW + MINUTE},
      'Its start is some seconds in the future, because the clocks of two hosts differ.',
    ],
  ])('says why a start lies in the future: %s', (_, more, reason) => {
    expect(verdict(evidence([row(1, {...more, queues: []})]))).toEqual({
      state: 'uncertain',
      likely: 'lost',
      reason,
    });
  });

  it('does not say that the configuration changed if only the clock is not sure', () => {
    const unsure = host({
      clock: {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: "PHP's clock is unknown."},
      configChangedMs: NOW - 20 * HOUR,
    });
    expect(verdict(evidence([begun(1)], {host: unsure})).reason).toBe(
      "The site's configuration may be newer than the job, because PHP's clock is unknown.",
    );
  });

  it('says that only time is missing for a row that is new, or whose age is not sure', () => {
    const unsure = {
      clock: {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: "PHP's clock is unknown."},
      configChangedMs: null,
    };
    const needsTime = (given: LiveEvidence) => liveVerdicts(given).get(1)!.needsTime;
    expect(needsTime(evidence([row(1, {queues: []})], {host: host(unsure)}))).toBe(true);
    expect(needsTime(evidence([row(1, {createdMs: NOW, queues: []})]))).toBe(true);
    const undated = row(1, {createdMs: null, queues: []});
    expect(needsTime(evidence([undated], {host: host({configChangedMs: null})}))).toBe(true);
    expect(needsTime(LACKING['every server answered']!.lost)).toBe(false);
    expect(needsTime(evidence([row(1, {queues: []})]))).toBe(false);
  });
});
