import {expect, test} from 'vitest';
import {BY_SYSTEMD} from '../../../src/host-commands.ts';
import {queueStatus} from '../../../src/queue/status.ts';
import {answering, OTHER_PREFIX, PREFIX, silent} from '../../support/servers/server-reports.ts';

const A = `${PREFIX}-arFindingAidJob`;
const B = `${PREFIX}-arFileImportJob`;
const FOREIGN = `${OTHER_PREFIX}-arFindingAidJob`;

const TWO_SERVERS = [
  answering(
    'one:4730',
    [
      [A, 5, 1, 2],
      [B, 0, 0, 1],
      [FOREIGN, 2, 0, 1],
      ['reverse', 0, 0, 1],
    ],
    {
      pid_11_aa: [A, B],
      pid_12_bb: [A],
      pid_13_cc: [FOREIGN],
      '-': ['reverse'],
      pid_14_idle: [],
    },
  ),
  answering(
    'two:4730',
    [
      [A, 3, 1, 1],
      [B, 0, 0, 1],
      ['old', 0, 0, 0],
    ],
    {pid_11_aa: [A, B]},
  ),
];
const SITE = {
  prefix: PREFIX,
  jobClasses: ['arFindingAidJob', 'arFileImportJob'],
  commands: BY_SYSTEMD,
};

test('a function is one row: work summed over the servers, a worker on both counted once', () => {
  const {status, problems, functions} = queueStatus({...SITE, servers: TWO_SERVERS});
  expect({status, problems}).toEqual({status: 'ok', problems: []});
  expect(functions).toEqual([
    {
      function: B,
      jobClass: 'arFileImportJob',
      prefix: PREFIX,
      thisSite: true,
      queued: 0,
      running: 0,
      workers: 1,
    },
    {
      function: A,
      jobClass: 'arFindingAidJob',
      prefix: PREFIX,
      thisSite: true,
      queued: 6,
      running: 2,
      workers: 2,
    },
  ]);
});

test.each([
  ['all functions', {allFunctions: true}, [B, A, 'reverse', FOREIGN]],
  ['idle functions', {all: true}, [B, A]],
  ['both', {allFunctions: true, all: true}, [B, A, 'old', 'reverse', FOREIGN]],
])('%s are shown when asked for', (_what, shown, names) => {
  const {functions} = queueStatus({...SITE, ...shown, servers: TWO_SERVERS});
  expect(functions.map((row) => row.function)).toEqual(names);
});

test('what is not AtoM has neither job class nor prefix, another site has both', () => {
  const {functions} = queueStatus({...SITE, servers: TWO_SERVERS, allFunctions: true});
  expect(functions.slice(2)).toEqual([
    {function: 'reverse', jobClass: null, prefix: null, thisSite: false, queued: 0, running: 0, workers: 1},
    {
      function: FOREIGN,
      jobClass: 'arFindingAidJob',
      prefix: OTHER_PREFIX,
      thisSite: false,
      queued: 2,
      running: 0,
      workers: 1,
    },
  ]);
});

test('if the prefix is not known every function is shown, none as of this site, and the verdict is unknown', () => {
  const result = queueStatus({...SITE, servers: TWO_SERVERS, prefix: null, jobClasses: []});
  expect(result.functions.map(({thisSite}) => thisSite)).toEqual([false, false, false, false]);
  expect(result.status).toBe('unknown');
  expect(result.problems).toEqual([
    expect.objectContaining({state: 'unknown', message: expect.stringContaining('--function-prefix')}),
  ]);
});

test('an old site has bare functions of the classes that its gearman.yml lists', () => {
  const servers = [
    answering(
      'one:4730',
      [
        ['arFindingAidJob', 1, 0, 1],
        ['reverse', 1, 0, 1],
      ],
      {w: ['arFindingAidJob', 'reverse']},
    ),
  ];
  const {functions, status} = queueStatus({...SITE, servers, prefix: '', jobClasses: ['arFindingAidJob']});
  expect(functions.map((row) => row.function)).toEqual(['arFindingAidJob']);
  expect(status).toBe('ok');
});

test('servers are reported without the lists that they answered with', () => {
  const {servers} = queueStatus({...SITE, servers: [TWO_SERVERS[0]!, silent('two:4730')]});
  expect(servers).toEqual([
    {address: 'one:4730', reachable: true, version: '1.1.20', error: null},
    {
      address: 'two:4730',
      reachable: false,
      version: null,
      error: 'The Gearman server two:4730 does not answer.',
    },
  ]);
});
