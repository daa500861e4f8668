/** What the reading commands show on small terminals. What differs from run to run is masked, by as many characters. */
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {ShownWorker} from '../../src/jobs/live/busy-workers.ts';
import type {QueueFunction} from '../../src/queue/functions.ts';
import {renderQueueStatus} from '../../src/render/queue/table.ts';
import {renderQueueWorkers} from '../../src/render/queue/workers.ts';
import type {Screen} from '../../src/render/screen.ts';
import {renderWorkerStatus} from '../../src/render/worker.ts';
import type {WorkerStatus} from '../../src/worker/status.ts';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  runOnTerminal,
  startGearmand,
  startWorker,
  submitJob,
  until,
  type WorkerProcess,
} from '../support/sandbox.ts';

// A path of another length would be cut elsewhere; a whole run has /var/tmp, for the tests with systemd.
process.env.TMPDIR = '/tmp';

const WIDTHS = [80, 60];

let gearmand: GearmanProcess;
let site: AtomSite;
let worker: WorkerProcess;
let executing: number;
let queued: number;

/** A zone in which it is about noon, so that an hour ago is today. */
const zone = () =>
  `Etc/GMT${new Date().getUTCHours() - 12 < 0 ? '-' : '+'}${Math.abs(new Date().getUTCHours() - 12)}`;

beforeAll(async () => {
  gearmand = await startGearmand();
  const workerTypes = {general: ['arFileImportJob', 'arFindingAidJob']};
  site = await createSite({gearman: [gearmand.endpoint], workerTypes, timezone: zone()});
  await site.insertJob({
    name: 'arInformationObjectCsvExportJob',
    startedAt: '2025-06-01 09:00:00',
    finishedAt: '2025-06-01 09:12:40',
    objectId: 512,
    notes: [{text: 'The export of 1,204 descriptions is done.'}],
    output: '[info] [2025-06-01 09:00:09] Job 1 "arInformationObjectCsvExportJob": Job started.\n',
  });
  await site.insertJob({
    name: 'arFileImportJob',
    status: 'error',
    startedAt: '2025-06-02 09:00:00',
    finishedAt: '2025-06-02 09:00:31',
    notes: [{text: 'Exception: Row 17 of "smith.csv" has no title', error: true}],
    output: '[info] [2025-06-02 09:00:02] Job 2 "arFileImportJob": Job started.\n',
  });
  const startedAt = wallAgo(91 * 60);
  const work = {seconds: 600, log: ['Imported 12 of 900 rows from the file that was uploaded']};
  executing = (await submitJob(site, {jobClass: 'arFindingAidJob', startedAt, work})).id;
  worker = await startWorker(site);
  await until(async () => (await logOf(executing)).includes('Imported'));
  queued = (await submitJob(site, {jobClass: 'arFileImportJob', startedAt})).id;
});

afterAll(async () => {
  worker?.killGroup();
  await worker?.ended;
  await Promise.all([gearmand?.kill(), site?.drop()]);
});

const wallAgo = (seconds: number) =>
  new Date(Date.now() - seconds * 1000).toLocaleString('sv-SE', {timeZone: site.timezone});

const logOf = async (id: number) =>
  (await site.query<{output: string | null}>('SELECT output FROM job WHERE id = ?', [id]))[0]?.output ?? '';

/** The text without what another run would not show, and the lines of the same length. */
function masked(screen: string): string {
  const values = [site.root, site.databaseName, site.prefix, gearmand.endpoint, site.timezone];
  let text = screen
    .replace(/\d\d:\d\d:\d\d/g, 'hh:mm:ss')
    .replace(/2026-\d\d-\d\d|20(?!25)\d\d-\d\d-\d\d/g, 'YYYY-MM-DD');
  for (const value of values) {
    // A table may cut it.
    for (let length = value.length; length > 12; length -= 1) {
      text = text.replaceAll(value.slice(0, length), (part) => part.replace(/[a-z0-9]/gi, 'x'));
    }
  }
  return text
    .replace(/(?<=127\.0\.0\.1:)\d+/g, (port) => 'x'.repeat(port.length))
    .replace(/Etc\/GMT[+-]\d+ */g, (part) => 'Etc/GMT+N'.padEnd(part.length))
    .replace(/1h 3\dm/g, '1h 3Nm')
    .replace(/process \d+/g, 'process N')
    .replace(/ +$/gm, '');
}

async function screens(commands: readonly string[]): Promise<void> {
  const runs = commands.flatMap((command) => WIDTHS.map((columns) => ({command, columns})));
  const shown = await fewAtATime(runs, async ({command, columns}) => {
    const env = {...site.env, NO_COLOR: '1', PAGER: 'cat'};
    return masked((await runOnTerminal(command.split(' '), {env, columns, rows: 24})).screen);
  });
  for (const [at, {command, columns}] of runs.entries()) {
    expectFits(shown[at]!, columns);
    expect(shown[at]).toMatchSnapshot(`${command.replace(/show \d+/, 'show ID')}, ${columns} columns`);
  }
}

/** Lines of a log are shown as they are. */
function expectFits(text: string, columns: number): void {
  const lines = text.split('\n').filter((line) => !line.startsWith('[info] ['));
  // A word that is too wide stays whole, alone in its line.
  expect(lines.filter((line) => line.length > columns && /\S \S/.test(line))).toEqual([]);
}

test('D1: jobs:list keeps names and states whole, and shows the last line of an executing job', () =>
  screens([
    'jobs:list',
    'jobs:list --columns id,name,live,info',
    'jobs:list --columns id,live,activity,waited',
  ]));

test('D8: jobs:show of an executing and of a queued job', () =>
  screens([`jobs:show ${executing}`, `jobs:show ${queued} --no-pager`]));

test('jobs:stats', () => screens(['jobs:stats --until 2026-01']));

test('config and doctor', () =>
  screens(['config', 'doctor --all --check schema,job-classes,lost-jobs,serial-jobs,site-workers']));

const SCREENS: Screen[] = WIDTHS.map((width) => ({isTTY: true, width, color: false}));
const NOW = new Date('2026-11-23T12:00:00Z');

async function pureScreens(render: (screen: Screen) => Promise<string>): Promise<void> {
  for (const screen of SCREENS) {
    const text = await render(screen);
    expectFits(text, screen.width);
    expect(text).toMatchSnapshot(`${screen.width} columns`);
  }
}

test('D16: queue:status with a problem, its fix, and the idle classes in one line', () => {
  const row = (jobClass: string, figures: Partial<QueueFunction>): QueueFunction => ({
    ...{function: `p-${jobClass}`, jobClass, prefix: 'p', thisSite: true},
    ...{queued: 0, running: 0, workers: 2, ...figures},
  });
  const idle = ['arObjectMoveJob', 'arGenerateReportJob', 'arValidateCsvJob', 'arInheritRightsJob'];
  const report = {
    status: {
      status: 'warning' as const,
      problems: [
        {
          state: 'warning' as const,
          message: 'arPhysicalObjectCsvHoldingsReportJob has 12 jobs queued, more than 10.',
          remedy: 'atomctl queue:workers',
        },
      ],
      servers: [{address: '127.0.0.1:4730', reachable: true, version: '1.1.20', error: null}],
      functions: [
        row('arFileImportJob', {queued: 3, running: 1}),
        row('arPhysicalObjectCsvHoldingsReportJob', {queued: 12, running: 2}),
        ...idle.map((name) => row(name, {})),
      ],
    },
    backlog: {running: 18, oldestSeconds: 5400, longestWait: {id: 9, name: 'a', seconds: 3000}},
    unchecked: [],
  };
  return pureScreens((screen) => renderQueueStatus(report, screen));
});

test('D8: queue:workers says which worker is busy with what', () => {
  const worker = (pid: number, more: Partial<ShownWorker>): ShownWorker => ({
    ...{id: `pid_${pid}_6565f3a2c8d9e`, pid, ip: '127.0.0.1', prefix: 'p', thisSite: true},
    abilities: Array.from({length: 15}, (_, index) => `arSome${index}Job`),
    ...{servers: ['127.0.0.1:4730'], executes: null, mayExecute: [], ...more},
  });
  const job = {id: 155764, name: 'arFileImportJob', begunAt: '2026-11-23T10:30:00Z'};
  const workers = [
    worker(48512, {executes: job}),
    worker(48513, {mayExecute: [155765, 155766]}),
    worker(7, {ip: '172.18.0.4', abilities: ['arFindingAidJob']}),
  ];
  const other = worker(9, {prefix: 'f'.repeat(32), thisSite: false, servers: ['127.0.0.1:4731']});
  return pureScreens(
    async (screen) =>
      (await renderQueueWorkers(workers, screen, NOW)) +
      (await renderQueueWorkers([...workers, other], screen, NOW)),
  );
});

test('worker:status', () => {
  const unit = {
    ...{unit: 'atom-worker.service', load: 'loaded', active: 'active', sub: 'running'},
    ...{enabled: true, enablement: 'enabled', since: '2026-11-23T10:30:00.000Z', mainPid: 485},
    ...{memoryBytes: 52_428_800, restarts: 0, result: 'success', exitStatus: 0, ending: null, problems: []},
    startLimit: {burst: 3, intervalSeconds: 86_400, startsUsed: 1, hit: false, secondsLeft: null},
    servers: [
      {server: '127.0.0.1:4730', error: null, abilities: ['a', 'b'], missing: [], strangePrefixes: []},
    ],
  } satisfies WorkerStatus['units'][number];
  const status: WorkerStatus = {
    ...{status: 'ok', problems: [], units: [unit], servers: []},
    unmanaged: [
      {
        ...{id: 'pid_4711_6565f3a2c8d9e', pid: 4711, ip: '172.18.0.4', servers: ['127.0.0.1:4730']},
        abilities: ['arFileImportJob', 'arFindingAidJob', 'arObjectMoveJob'],
      },
    ],
    executing: [{id: 155764, name: 'arFileImportJob', unit: 'atom-worker.service'}],
  };
  return pureScreens((screen) => renderWorkerStatus(status, screen, NOW));
});
