import {describe, expect, it} from 'vitest';
import type {LiveEvidence, RowEvidence} from '../../../../src/jobs/live/evidence.ts';
import {payload} from '../health/a-queue.ts';
import {
  A,
  B,
  begun,
  connection,
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
  verdict,
  waiting,
  worker,
} from './given.ts';

/** The whole of what is said of a state, or of what its proof lacks. */
type Said = [reason: string, given: LiveEvidence];

const FOREIGN_PREFIX = `another function prefix (${'f'.repeat(32)})`;
const BEGUN_AT = {begunAt: '2026-03-04 03:10:00'};
const imports = (file = '/tmp/up.csv') => ({name: 'arFileImportJob', importFile: file, queues: []});
const UNSURE = {nowMs: NOW, uncertaintyMs: 26 * HOUR, reason: 'php.ini sets no timezone.'};

describe('an executing job says what proves it', () => {
  it.each<Said>([
    ['a:4730 assigned it to a worker.', evidence([begun(1, running())], {queues: [queue(1, 1)]})],
    [
      `a:4730 assigned it to a worker under ${FOREIGN_PREFIX}.`,
      evidence([begun(1, running())], {queues: [queue(1, 1, FOREIGN)]}),
    ],
    [
      'b:4730 assigned it to a worker.',
      evidence([begun(1, running(ELSEWHERE))], {
        queues: [queue(1, 1), queue(1, 1, {queue: ELSEWHERE, server: B})],
        servers: [server(), server({address: B})],
      }),
    ],
    [
      'Process 9 on this host imports its file.',
      evidence([begun(1, imports())], {host: host(processes({imports: [importOf('/tmp/up.csv')]}))}),
    ],
    ['Its log grew while atomctl read it.', evidence([begun(1, {logGrew: true})])],
    [
      'A worker has one job of its class, and it can only be this one.',
      evidence([keyless(1)], {queues: [queue(1, 1)]}),
    ],
    [
      'Workers have 2 jobs of its class, and they can only be this one and 1 other.',
      evidence([keyless(1), keyless(2)], {queues: [queue(2, 2)]}),
    ],
    [
      'Workers have 3 jobs of its class, and they can only be this one and 2 others.',
      evidence([keyless(1), keyless(2), keyless(3)], {queues: [queue(3, 3)]}),
    ],
  ])('%s', (reason, given) => {
    expect(verdict(given)).toEqual({state: 'executing', likely: null, reason});
  });
});

describe('a queued job says what proves it', () => {
  it.each<Said>([
    [
      'It waits on a:4730, begun before: it will run again from its start.',
      evidence([begun(1, waiting())], {queues: [queue(1, 0)]}),
    ],
    [
      'It waits on a:4730, begun at 2026-03-04 03:10:00: it will run again from its start.',
      evidence([begun(1, {...waiting(), ...BEGUN_AT})], {queues: [queue(1, 0)]}),
    ],
    [
      `It waits on a:4730 under ${FOREIGN_PREFIX}, begun before: it will run again from its start.`,
      evidence([begun(1, waiting())], {queues: [queue(1, 0, FOREIGN)]}),
    ],
    [
      'Its payload was seen waiting.',
      evidence([row(1)], {queues: [queue(1, 0)], payloads: [payload(FINDING_AIDS, 1)]}),
    ],
    [
      `Its payload was seen waiting under ${FOREIGN_PREFIX}.`,
      evidence([row(1)], {queues: [queue(1, 0, FOREIGN)], payloads: [payload(FINDING_AIDS, 1)]}),
    ],
    [
      'Its payload was seen waiting, begun at 2026-03-04 03:10:00: it will run again from its start.',
      evidence([keyless(1, BEGUN_AT)], {queues: [queue(1, 0)], payloads: [payload(FINDING_AIDS, 1)]}),
    ],
  ])('%s', (reason, given) => {
    expect(verdict(given)).toEqual({state: 'queued', likely: null, reason});
  });
});

describe('a finished or lost job says what proves it', () => {
  it.each<[...Said, state: string]>([
    [
      'Its log says "Job finished."; only the row was not saved.',
      evidence([begun(1, {finished: true, starts: 1})]),
      'finished',
    ],
    [
      'Its log says "Job finished." after an error; only the row was not saved.',
      evidence([begun(1, {finished: true, failed: true, starts: 1})]),
      'finished',
    ],
    ['No Gearman server has it, and no worker ever began it.', evidence([row(1, {queues: []})]), 'lost'],
    ['No Gearman server has it, and no worker can be running it.', evidence([begun(1)]), 'lost'],
  ])('%s', (reason, given, state) => {
    expect(verdict(given)).toEqual({state, likely: null, reason});
  });
});

describe('an uncertain job says what its proof lacks, and what is likely', () => {
  it.each<[...Said, likely: string | null]>([
    [
      'Another atomctl holds jobs of a:4730 and may hold this one.',
      evidence([begun(1, running())], {queues: [queue(1, 1)], servers: [server({probing: true})]}),
      null,
    ],
    [
      'The client atomctl-x from 127.0.0.1 holds jobs of a:4730 and may hold this one.',
      evidence([begun(1, running())], {
        queues: [queue(1, 1)],
        workers: [connection(null, {id: 'atomctl-x'})],
      }),
      null,
    ],
    [
      'a:4730 has it or a cancelled entry of it: 1 cancelled entry is there.',
      evidence([begun(1, waiting())], {queues: [queue(1, 0)], servers: [server({ignored: 1})]}),
      'queued',
    ],
    [
      'a:4730 has it or a cancelled entry of it: 2 cancelled entries are there.',
      evidence([begun(1, waiting())], {queues: [queue(1, 0)], servers: [server({ignored: 2})]}),
      'queued',
    ],
    ['No Gearman server was asked.', evidence([row(1, {queues: []})], {servers: []}), null],
    [
      'Gearman server b:4730 did not answer.',
      evidence([begun(1)], {
        servers: [server(), server({address: B, error: 'Gearman server b:4730 did not answer.'})],
      }),
      null,
    ],
    [
      "AtoM's files name the Gearman server b:4730, but atomctl did not ask it because other servers were given.",
      evidence([begun(1)], {host: host({serversNotAsked: [B, 'c:4730']})}),
      null,
    ],
    [
      'The Gearman servers of the site are not known.',
      evidence([begun(1)], {host: host({serversDoubt: 'The Gearman servers of the site are not known.'})}),
      null,
    ],
    [
      'Another atomctl holds jobs of b:4730; try again in a moment.',
      evidence([begun(1)], {servers: [server(), server({address: B, probing: true})]}),
      null,
    ],
    [
      'The queue changed while atomctl read it; try again in some seconds.',
      evidence([keyless(1)], {unchanged: false}),
      null,
    ],
    [
      'The database is a replica or read-only, so its data may be old.',
      evidence([begun(1)], {writable: false}),
      'lost',
    ],
    [
      'atomctl cannot see if a worker process is running it: They are hidden.',
      evidence([begun(1)], {host: host(processes({unreadable: 'They are hidden.'}))}),
      'lost',
    ],
    [
      'Worker process 9 may be running it, because it is not connected to every Gearman server.',
      evidence([begun(1)], {host: host(processes({workers: [worker(9)]}))}),
      'executing',
    ],
    [
      'Worker process 9 may be running it, because a Gearman job that runs belongs to no row.',
      evidence([begun(1)], {
        queues: [queue(1, 1)],
        host: host(processes({workers: [worker(9)]})),
        workers: [connection(9)],
      }),
      'executing',
    ],
    [
      'Process 9 imports a file and may be running it.',
      evidence([begun(1, {name: 'arFileImportJob'})], {
        host: host(processes({imports: [importOf('/tmp/other.csv')]})),
      }),
      'executing',
    ],
    [
      'Worker process 9 may have received it, because it is not connected to every Gearman server.',
      evidence([row(1, {queues: []})], {host: host(processes({workers: [worker(9)]}))}),
      'lost',
    ],
    [
      "The site's configuration changed after the job was created or in the minute before, so the job may be on a server that is no longer in the configuration.",
      evidence([begun(1)], {host: host({configChangedMs: NOW - HOUR - MINUTE})}),
      'lost',
    ],
    [
      "The site's configuration may be newer than the job, because php.ini sets no timezone.",
      evidence([begun(1)], {host: host({clock: UNSURE, configChangedMs: NOW - 20 * HOUR})}),
      'lost',
    ],
    ['It is new: AtoM may still be submitting it.', evidence([row(1, {createdMs: NOW, queues: []})]), null],
    [
      'The database has no time of its creation.',
      evidence([row(1, {createdMs: null, queues: []})], noConfig()),
      'lost',
    ],
    [
      'Its age is not certain, because php.ini sets no timezone.',
      evidence([row(1, {queues: []})], noConfig({clock: UNSURE})),
      'lost',
    ],
    [
      'Worker pid_9_5f runs in a container or on another host, so atomctl cannot see what it does.',
      evidence([begun(1)], {workers: [connection(9, {fromHere: false})]}),
      'lost',
    ],
    [
      'A worker on another host may be running it: Gearman listens on the network, and the configuration file does not have "workers: this-host".',
      evidence([begun(1)], {servers: [server(), server({address: B, onlyLoopback: false})]}),
      'lost',
    ],
    [
      'The time of its last log line is not known, and a Gearman server may have restarted since it began.',
      evidence([begun(1, {lastActivityMs: null})]),
      'lost',
    ],
    [
      'The last line of its log is less than a minute old, and a Gearman server may have restarted since it began.',
      evidence([begun(1, {lastActivityMs: NOW - MINUTE + 1000})]),
      'executing',
    ],
    [
      'The last line of its log is 14m old, and a Gearman server may have restarted since it began.',
      evidence([begun(1, {lastActivityMs: NOW - 14 * MINUTE - 59_000})]),
      'executing',
    ],
    [
      "The last line of its log is 20m old (if PHP's clock has the right zone), and a Gearman server may have restarted since it began.",
      evidence([begun(1, {lastActivityMs: NOW - 20 * MINUTE})], noConfig({clock: UNSURE})),
      'lost',
    ],
    [
      'The last line of its log is less than a minute old, and a Gearman server may have restarted since it began.',
      // A line that seems to come from the future.
      evidence([begun(1, {lastActivityMs: NOW + 5 * MINUTE})]),
      'executing',
    ],
  ])('%s', (reason, given, likely) => {
    expect(verdict(given)).toEqual({state: 'uncertain', likely, reason});
  });

  const WHY: Record<string, [Partial<RowEvidence>, string]> = {
    'its key may be another one': [
      {key: 'doubtful', keyAsked: true},
      'the parameters in its log do not show its key exactly',
    ],
    'its parameters are cut': [
      {key: 'cut'},
      'the parameters in its log are cut, so atomctl cannot ask a server for its key',
    ],
    'it logged no parameters': [
      {key: 'none'},
      'its log shows no parameters, so atomctl cannot ask a server for its key',
    ],
    'a server cannot answer for its key': [{key: 'exact'}, 'a server did not answer for its key'],
  };
  it.each(Object.entries(WHY))('that it may be a job in its queue, as %s', (_, [more, why]) => {
    const given = evidence([keyless(1, more)], {queues: [queue(1, 0)]});
    const reason = `It may be the job in its queue, but ${why}.`;
    expect(verdict(given)).toEqual({state: 'uncertain', likely: 'queued', reason});
  });

  const OTHER_PREFIX = {owner: 'unknown', function: `${'e'.repeat(32)}-arFindingAidJob`, queue: 'e'} as const;
  const FOREIGN_QUEUE = {...FOREIGN, queue: 'f'} as const;
  it.each<[string, LiveEvidence['queues']]>([
    ['the job in its queue', [queue(1, 0)]],
    ['one of 2 jobs in its queue', [queue(2, 0)]],
    ['one of 3 jobs in its queue', [queue(2, 0), queue(1, 0, {queue: ELSEWHERE, server: B})]],
    [`the job under ${FOREIGN_PREFIX}`, [queue(1, 0, FOREIGN_QUEUE)]],
    ['the job under no function prefix', [queue(1, 0, {owner: 'unknown'})]],
    [`one of 2 jobs in its queue or under ${FOREIGN_PREFIX}`, [queue(1, 0), queue(1, 0, FOREIGN_QUEUE)]],
    [`the job under ${FOREIGN_PREFIX}`, [queue(0, 0), queue(1, 0, FOREIGN_QUEUE)]],
    ['the job in its queue', [queue(1, 0), queue(0, 0, FOREIGN_QUEUE)]],
    [
      `one of 2 jobs under ${FOREIGN_PREFIX} or another function prefix (${'e'.repeat(32)})`,
      [queue(1, 0, FOREIGN_QUEUE), queue(1, 0, OTHER_PREFIX)],
    ],
    [
      // Each prefix once, on however many servers.
      `one of 2 jobs under ${FOREIGN_PREFIX}`,
      [queue(1, 0, FOREIGN_QUEUE), queue(1, 0, {...FOREIGN_QUEUE, queue: 'g', server: B})],
    ],
  ])('where it may be: %s', (where, queues) => {
    const given = evidence([keyless(1, {queues: queues.map((each) => each.queue)})], {queues});
    const reason = `It may be ${where}, but its log shows no parameters, so atomctl cannot ask a server for its key.`;
    expect(verdict(given)).toEqual({state: 'uncertain', likely: 'queued', reason});
  });

  it.each<[string, RowEvidence, LiveEvidence['queues'][number], string]>([
    ['executing, if it began and a job runs', keyless(1, {key: 'doubtful'}), queue(2, 1), 'executing'],
    ['queued, if it began and all jobs wait', keyless(1), queue(2, 0), 'queued'],
    ['queued, if it never began and a job waits', row(1), queue(2, 1), 'queued'],
    ['executing, if it never began and every job runs', row(1), queue(2, 2), 'executing'],
  ])('that a job in its queue may be it, likely %s', (_, given, count, likely) => {
    expect(verdict(evidence([given], {queues: [count]}))).toMatchObject({
      state: 'uncertain',
      likely,
      reason: expect.stringMatching(/^It may be one of 2 jobs in its queue/),
    });
  });
});

/** No configuration file was found, so its age does not matter. */
function noConfig(more: Parameters<typeof host>[0] = {}): Partial<LiveEvidence> {
  return {host: host({configChangedMs: null, ...more})};
}

it('names the server of the queue that has the job, though another has a queue of the same function', () => {
  const given = evidence([begun(1, running(ELSEWHERE))], {
    queues: [queue(1, 0), queue(1, 1, {queue: ELSEWHERE, server: B})],
    servers: [server({address: A, probing: true}), server({address: B})],
  });
  expect(verdict(given).reason).toBe('b:4730 assigned it to a worker.');
});
