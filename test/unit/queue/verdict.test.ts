import {describe, expect, test} from 'vitest';
import {BY_HAND, BY_SYSTEMD} from '../../../src/host-commands.ts';
import {type QueueStatusOptions, queueStatus} from '../../../src/queue/status.ts';
import {answering, OTHER_PREFIX, PREFIX, silent} from '../../support/servers/server-reports.ts';

const A = `${PREFIX}-arFindingAidJob`;
const B = `${PREFIX}-arFileImportJob`;
const FOREIGN = `${OTHER_PREFIX}-arFindingAidJob`;
const BOTH_SERVED = answering(
  'one:4730',
  [
    [A, 4, 1, 1],
    [B, 9, 0, 1],
  ],
  {pid_1_a: [A, B]},
);
const ONE_SERVED = answering(
  'one:4730',
  [
    [A, 0, 0, 1],
    [B, 2, 0, 0],
  ],
  {pid_1_a: [A]},
);
const NONE_SERVED = answering('one:4730', [[A, 0, 0, 0]]);

const UNSERVED = answering(
  'one:4730',
  [
    [A, 0, 0, 1],
    [B, 0, 0, 1],
    [FOREIGN, 2, 0, 0],
  ],
  {w: [A, B]},
);
const WAIT = {id: 7, name: 'arFileImportJob', seconds: 60};
const WAITING = {running: 1, oldestSeconds: 60, longestWait: WAIT};
const FUTURE = {running: 1, oldestSeconds: null, oldestInFuture: true};
const PLUGIN_ON: Partial<QueueStatusOptions> = {
  jobClasses: ['arFindingAidJob', 'qtSwordPluginWorker'],
  plugins: new Set(['qtSwordPlugin']),
};

function verdict(options: Partial<QueueStatusOptions>) {
  const {status, problems} = queueStatus({
    servers: [BOTH_SERVED],
    prefix: PREFIX,
    jobClasses: ['arFindingAidJob', 'arFileImportJob'],
    commands: BY_SYSTEMD,
    ...options,
  });
  return [status, ...problems.map(({message}) => message)];
}

const CASES: [what: string, options: Partial<QueueStatusOptions>, expected: (string | RegExp)[]][] = [
  ['all served', {}, ['ok']],
  ['a server that is down', {servers: [BOTH_SERVED, silent('two:1')]}, ['critical', /two:1 does not answer/]],
  ['all servers down: nothing is said of workers', {servers: [silent('two:1')]}, ['critical', /two:1/]],
  [
    'a listed class without a worker',
    {servers: [ONE_SERVED]},
    ['critical', 'arFileImportJob has no worker.'],
  ],
  ['the same, excluded', {servers: [ONE_SERVED], excluded: ['arFileImportJob']}, ['ok']],
  ['a required class', {required: ['arMyPluginJob']}, ['critical', 'arMyPluginJob has no worker.']],
  ['a required class that is served', {required: ['arFileImportJob'], jobClasses: []}, ['ok']],
  [
    'the plugin class that stock gearman.yml lists',
    {jobClasses: ['arFindingAidJob', 'qtSwordPluginWorker']},
    ['ok'],
  ],
  ['the same, with its plugin on', PLUGIN_ON, ['critical', 'qtSwordPluginWorker has no worker.']],
  ['the same, with its plugin off', {...PLUGIN_ON, plugins: new Set(['qbAclPlugin'])}, ['ok']],
  ['the same, with its plugin on, excluded', {...PLUGIN_ON, excluded: ['qtSwordPluginWorker']}, ['ok']],
  [
    'the same, required',
    {required: ['qtSwordPluginWorker']},
    ['critical', 'qtSwordPluginWorker has no worker.'],
  ],
  [
    'no worker at all',
    {servers: [NONE_SERVED]},
    [
      'critical',
      `No worker of this site (prefix ${PREFIX}) is connected. Without one: arFindingAidJob, arFileImportJob.`,
    ],
  ],
  [
    'no worker at all, and no class known',
    {servers: [NONE_SERVED], jobClasses: []},
    ['critical', /is connected\.$/],
  ],
  [
    'no worker at all, but all classes excluded',
    {servers: [NONE_SERVED], excluded: ['arFindingAidJob', 'arFileImportJob']},
    ['ok'],
  ],
  [
    'workers of another prefix alone: a moved root',
    {servers: [answering('one:4730', [[FOREIGN, 0, 0, 1]], {pid_1_a: [FOREIGN]})]},
    ['critical', new RegExp(`${OTHER_PREFIX}.*root or workers_key.*--function-prefix`)],
  ],
  [
    'workers of another prefix beside our own',
    {
      servers: [
        answering(
          'one:4730',
          [
            [A, 0, 0, 1],
            [B, 0, 0, 1],
            [FOREIGN, 0, 0, 1],
          ],
          {w: [A, B], x: [FOREIGN]},
        ),
      ],
    },
    ['ok'],
  ],
  [
    'a class served on one server of two',
    {
      servers: [
        BOTH_SERVED,
        answering(
          'two:4730',
          [
            [A, 0, 0, 1],
            [B, 0, 0, 0],
          ],
          {pid_1_a: [A]},
        ),
      ],
    },
    ['warning', 'arFileImportJob has no worker on two:4730.'],
  ],
  [
    'several classes without a worker, in one sentence',
    {jobClasses: ['arFindingAidJob', 'arA', 'arB', 'arC', 'arD']},
    ['critical', '4 job classes have no worker: arA, arB, arC and 1 more.'],
  ],
  ['a queue as long as the bound', {limits: {warningQueued: 9}}, ['ok']],
  [
    'a queue longer than the bound',
    {limits: {warningQueued: 8}},
    ['warning', 'arFileImportJob has 9 jobs queued, more than 8.'],
  ],
  [
    'the worse bound counts',
    {limits: {warningQueued: 1, criticalQueued: 8}},
    ['critical', /FileImport.*more than 8/, /FindingAid.* 3 .*more than 1/],
  ],
  ['an excluded queue', {limits: {criticalQueued: 3}, excluded: ['arFileImportJob']}, ['ok']],
  [
    "another site's queue",
    {
      servers: [
        answering(
          'one:4730',
          [
            [A, 0, 0, 1],
            [B, 0, 0, 1],
            [FOREIGN, 99, 0, 1],
          ],
          {w: [A, B], x: [FOREIGN]},
        ),
      ],
      limits: {criticalQueued: 3},
    },
    ['ok'],
  ],
  [
    'jobs under a prefix without a worker',
    {servers: [UNSERVED]},
    ['warning', new RegExp(`^2 jobs wait under the function prefix ${OTHER_PREFIX}, which has no worker`)],
  ],
  [
    "the same under a known other site's prefix",
    {servers: [UNSERVED], foreignPrefixes: new Set([OTHER_PREFIX])},
    ['ok'],
  ],
  [
    'what the rows of the jobs show',
    {jobProblems: [{state: 'warning', message: '1 job is lost.', remedy: 'atomctl doctor --fix'}]},
    ['warning', '1 job is lost.'],
  ],
  [
    'a row as old as the bound',
    {limits: {criticalAge: 60}, backlog: {running: 1, oldestSeconds: 60}},
    ['ok'],
  ],
  [
    'an older row',
    {limits: {warningAge: 60, criticalAge: 90}, backlog: {running: 1, oldestSeconds: 61}},
    ['warning', /1m 1s ago, more than 1m\./],
  ],
  [
    'a row whose start lies in the future, with a bound (T10)',
    {limits: {warningAge: 5, criticalAge: 60}, backlog: FUTURE},
    ['critical', 'The start of the oldest running job is in the future, so it may be older than 1m.'],
  ],
  [
    'the same with a bound of a warning',
    {limits: {warningAge: 5}, backlog: FUTURE},
    ['warning', /than 5s\./],
  ],
  ['the same without a bound', {backlog: FUTURE}, ['ok']],
  [
    'a job that has waited longer than the bound',
    {
      limits: {warningWait: 60, criticalWait: 600},
      backlog: {...WAITING, longestWait: {...WAIT, seconds: 61}},
    },
    ['warning', /^Job 7 \(arFileImportJob\) has waited for a worker for 1m 1s, more than 1m\.$/],
  ],
  ['a job that has waited as long', {limits: {criticalWait: 60}, backlog: WAITING}, ['ok']],
  ['no running row', {limits: {criticalAge: 0}, backlog: {running: 0, oldestSeconds: null}}, ['ok']],
  ['a database that fails', {backlog: 'The database is away.'}, ['unknown', 'The database is away.']],
  [
    'a warning is worse than unknown, critical worse than both, in whatever order they were found',
    {backlog: 'The database is away.', limits: {warningQueued: 8}, required: ['arX']},
    ['critical', /arX/, /FileImport/, /away/],
  ],
];

describe('the verdict', () => {
  test.each(CASES)('%s', (_what, options, expected) => {
    expect(verdict(options)).toEqual(
      expected.map((text) => (typeof text === 'string' ? text : expect.stringMatching(text))),
    );
  });

  test.each<[string, Partial<QueueStatusOptions>, string]>([
    ['a restart', {servers: [ONE_SERVED]}, 'atomctl worker:restart'],
    [
      'a cleared cache, if it is stale (T4)',
      {servers: [ONE_SERVED], staleRoot: '/atom'},
      'cd /atom && php symfony cc && atomctl worker:restart',
    ],
    ['a start', {servers: [NONE_SERVED]}, 'atomctl worker:start --reset'],
    [
      'a cleared cache before it',
      {servers: [NONE_SERVED], staleRoot: '/atom'},
      'cd /atom && php symfony cc && atomctl worker:restart',
    ],
    ['a start without systemd', {servers: [NONE_SERVED], commands: BY_HAND}, 'atomctl worker:run'],
    [
      'a restart without systemd',
      {servers: [ONE_SERVED], commands: BY_HAND},
      expect.stringMatching(/^end the workers .*start them again \(atomctl worker:run\)/),
    ],
    [
      'a cleared cache before a restart without systemd',
      {servers: [ONE_SERVED], staleRoot: '/atom', commands: BY_HAND},
      expect.stringMatching(/^cd \/atom && php symfony cc; then end the workers .*\(atomctl worker:run\)/),
    ],
  ])('what brings a worker back: %s', (_, options, remedy) => {
    const {problems} = queueStatus({
      servers: [BOTH_SERVED],
      prefix: PREFIX,
      jobClasses: ['arFindingAidJob', 'arFileImportJob'],
      commands: BY_SYSTEMD,
      ...options,
    });
    expect(problems.map((problem) => problem.remedy)).toEqual([remedy]);
  });
});
