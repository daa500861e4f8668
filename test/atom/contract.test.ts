import {parse} from 'csv-parse/sync';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {connectWorker} from '../../src/gearman/worker-connection.ts';
import {readPayload} from '../../src/queue/payload.ts';
import {uniqueKey} from '../../src/queue/unique-key.ts';
import {runAtomctl} from '../support/atomctl/run-atomctl.ts';
import {type GearmanProcess, startGearmand} from '../support/servers/gearmand.ts';
import {uploadCsv} from '../support/servers/submit-job.ts';
import {until} from '../support/until.ts';
import {startWorker, type WorkerProcess} from '../support/workers/worker.ts';
import {type InstalledSite, openInstalledSite, withInstalledAtom} from './installed-atom.ts';

const REPORT = 'arPhysicalObjectCsvHoldingsReportJob';
const IMPORT = 'arFileImportJob';

interface Row {
  name: string;
  output: string | null;
  object_id: number | null;
  status_id: number;
}

withInstalledAtom((atom) => {
  let gearmand: GearmanProcess;
  let site: InstalledSite;

  beforeEach(async () => {
    gearmand = await startGearmand();
    site = await openInstalledSite(atom, [gearmand.endpoint]);
  });

  afterEach(async () => {
    await site.drop();
    await gearmand.kill();
  });

  async function start(): Promise<WorkerProcess> {
    const worker = await startWorker(site);
    site.onDrop(() => worker.ended);
    return worker;
  }

  async function restartGearmand(): Promise<void> {
    await gearmand.kill();
    gearmand = await startGearmand([], {port: gearmand.address.port});
  }

  async function rowOf(id: number): Promise<Row> {
    const [row] = await site.query<Row>('SELECT name, output, object_id, status_id FROM job WHERE id = ?', [
      id,
    ]);
    return row!;
  }

  /** As `jobs:list` shows it; an ended job by its status. */
  async function stateOf(id: number, ...args: string[]): Promise<string> {
    return (await shown(id, ...args)).state;
  }

  async function shown(id: number, ...args: string[]): Promise<{state: string; reason: string | null}> {
    interface Job {
      live: string | null;
      likely: string | null;
      liveReason: string | null;
      status: string;
    }
    const {jobs} = await site.atomctl<{jobs: Job[]}>('jobs:list', '--id', String(id), ...args);
    const [{live, likely, liveReason: reason, status}] = jobs as [Job];
    return {state: live === null ? status : live === 'uncertain' ? `${likely ?? ''}?` : live, reason};
  }

  /**
   * Another site's worker that starts or ends on this host can make a state uncertain for a moment. A state without a
   * question mark must be right at once. A failure shows atomctl's reason.
   */
  async function expectState(state: string, id: number, ...args: string[]): Promise<void> {
    const lastMs = Date.now() + 20_000;
    let seen = await shown(id, ...args);
    while (seen.state !== state && seen.state.endsWith('?') && Date.now() < lastMs)
      seen = await shown(id, ...args);
    expect(seen.state, seen.reason ?? 'ended').toBe(state);
  }

  const logged = (id: number, text: string) =>
    until(async () => (await rowOf(id)).output?.includes(text) === true);
  const ended = (id: number) => until(async () => (await rowOf(id)).status_id !== 183);
  const submitReport = () => site.submit(REPORT, {suppressEmpty: true});

  /** An import at work, held until `release` is called. */
  async function heldImport(): Promise<{id: number; worker: WorkerProcess; release(): Promise<void>}> {
    const release = await site.holdImports();
    const worker = await start();
    const id = await site.submit(IMPORT, {...(await uploadCsv(site)), index: false});
    await logged(id, 'Importing CSV file');
    await until(async () => (await blockedImports()) > 0);
    return {id, worker, release};
  }

  async function blockedImports(): Promise<number> {
    const rows = await site.query<{INFO: string | null}>('SELECT INFO FROM information_schema.PROCESSLIST');
    return rows.filter(({INFO}) => /^\s*INSERT INTO `?information_object/i.test(INFO ?? '')).length;
  }

  /** Makes the job's row and log three days older, and the site's configuration older still. */
  async function age(id: number): Promise<void> {
    site.backdateConfiguration();
    await site.query('UPDATE object SET created_at = created_at - INTERVAL 3 DAY WHERE id = ?', [id]);
    const {output} = await rowOf(id);
    const older = output?.replace(/^(\[\w+\]) \[([^\]]+)\]/gm, (_, level, at) => {
      const earlier = new Date(`${at.replace(' ', 'T')}Z`);
      earlier.setUTCDate(earlier.getUTCDate() - 3);
      return `${level} [${earlier.toISOString().slice(0, 19).replace('T', ' ')}]`;
    });
    await site.query('UPDATE job SET output = ? WHERE id = ?', [older ?? null, id]);
  }

  test('prefix and servers are those that the worker uses', async () => {
    const worker = await start();
    const {functionPrefix, gearmanServers} = await site.atomctl<Record<string, {value: unknown}>>('config');
    expect(gearmanServers!.value).toEqual([gearmand.endpoint]);
    const {workers} = await site.atomctl<{workers: unknown[]}>('queue:workers');
    expect(workers).toMatchObject([{pid: worker.pid, prefix: functionPrefix!.value, thisSite: true}]);
  });

  test('queued: payload and key are those computed from row and log; then completed', async () => {
    const id = await submitReport();
    await expectState('queued?', id);
    await expectState('queued', id, '--probe');

    const gearmanFunction = site.functionName(REPORT);
    const connection = await connectWorker(gearmand.address, {timeoutSeconds: 5});
    const job = (await connection.grab([gearmanFunction]))!;
    connection.close();
    const {name, object_id} = await rowOf(id);
    expect(readPayload(job.payload)).toEqual({jobId: id, name, objectId: object_id});
    expect(uniqueKey(gearmanFunction, `${job.payload}`)).toBe(job.unique);

    await start();
    await logged(id, 'Job finished.');
    await expectState('completed', id);
    const [, parameters] = /": Parameters: (.*)/.exec((await rowOf(id)).output!) ?? [];
    if (site.isSince27) expect(uniqueKey(gearmanFunction, parameters!)).toBe(job.unique);
    else expect(parameters).toBeUndefined();
  });

  test('likely executing before its log begins', async () => {
    const id = await submitReport();
    // The worker's first line waits for this lock.
    await site.query('START TRANSACTION');
    await site.query('SELECT id FROM job WHERE id = ? FOR UPDATE', [id]);
    await start();
    await until(async () => (await stateOf(id)) === 'executing?');
    await site.query('COMMIT');
    await ended(id);
    await expectState('completed', id);
  });

  test('executing by the count of jobs and rows while an import waits for a move, without logged parameters', async () => {
    const move = await site.insertJob({name: 'arObjectMoveJob', status: 'running'});
    await start();
    const id = await site.submit(IMPORT, {...(await uploadCsv(site)), index: false});
    await logged(id, 'Another sensitive job');
    await expectState('executing', id);
    await site.query('UPDATE job SET status_id = 184 WHERE id = ?', [move]);
    await ended(id);
    await expectState('completed', id);
  });

  test('executing; still so while the child of a killed worker goes on; then queued again; then completed', async () => {
    const {id, worker, release} = await heldImport();
    await expectState('executing', id);
    await worker.kill();
    await expectState('executing', id);
    await release();
    await until(async () => (await stateOf(id, '--probe')) === 'queued');
    await start();
    await ended(id);
    await expectState('completed', id);
  });

  test('likely executing after gearmand was restarted; then completed', async () => {
    const {id, release} = await heldImport();
    await restartGearmand();
    // The child's arguments name the upload, but no journal shows PHP's clock: the child may be older than the job.
    await expectState('executing?', id);
    await release();
    await ended(id);
    await expectState('completed', id);
  });

  test('lost if gearmand was restarted while the job waited', async () => {
    const id = await submitReport();
    await restartGearmand();
    await expectState('lost?', id);
    await age(id);
    await expectState('lost', id);
  });

  test('lost if worker, child and gearmand ended while the job was executed', async () => {
    const {id, worker} = await heldImport();
    worker.killGroup();
    await worker.ended;
    await restartGearmand();
    await expectState('lost?', id);
    await age(id);
    await expectState('lost', id);
  });

  test('lost if a required parameter is missing: AtoM leaves the row as it is', async () => {
    await start();
    const id = await site.submit('arCalculateDescendantDatesJob', {});
    await until(async () => !(await stateOf(id)).startsWith('executing'));
    await age(id);
    await expectState('lost', id);
  });

  test('finished if only the row says that it runs', async () => {
    await start();
    const id = await submitReport();
    await logged(id, 'Job finished.');
    await until(async () => (await stateOf(id)) === 'completed');
    await site.query('UPDATE job SET status_id = 183, completed_at = NULL WHERE id = ?', [id]);
    await age(id);
    await expectState('finished', id);
  });

  test('error if the job fails or throws', async () => {
    await start();
    const file = {name: 'gone.csv', tmp_name: '/nonexistent/gone.csv'};
    const fails = await site.submit(IMPORT, {importType: 'csv', objectType: 'informationObject', file});
    const throws = await site.submit('arCalculateDescendantDatesJob', {objectId: '1'});
    for (const id of [fails, throws]) {
      await ended(id);
      await expectState('error', id);
    }
  });

  test('a killed job is handed to no worker', async () => {
    const [killed, other] = [await submitReport(), await submitReport()];
    const result = await site.atomctl<{killed: unknown[]}>('jobs:kill', String(killed), '--yes');
    expect(result.killed).toMatchObject([{was: 'queued', action: 'marked', gearman: 'removed'}]);
    await start();
    await ended(other);
    expect(await rowOf(killed)).toMatchObject({status_id: 185, output: null});
  });

  test('the export has the cells of the one that AtoM makes; AtoM also quotes cells with spaces', async () => {
    await start();
    const ids = [
      await submitReport(),
      await site.submit('arUpdateEsIoDocumentsJob', {
        ioIds: ['0'],
        updateIos: true,
        updateDescendants: false,
        objectId: '1',
        name: 'A, "quoted" name',
        description: 'Why it was started.',
      }),
      await site.submit('arCalculateDescendantDatesJob', {objectId: '1'}),
    ];
    for (const id of ids) await ended(id);
    await until(async () => (await rowOf(ids[0]!)).output!.includes('Job finished.'));
    ids.push(await site.insertJob({name: 'arRunning', status: 'running'}));
    const [own, theirs] = [
      (await runAtomctl(['jobs:export-csv'], {env: site.env})).stdout,
      await site.exportCsv(),
    ];
    expect(parse(own)).toHaveLength(ids.length + 1);
    expect(parse(own)).toEqual(parse(theirs));
    expect(own).toBe(theirs.replace(/(?<=^|,)"([^",\n\\\t]* [^",\n\\\t]*)"(?=,|\n)/gm, '$1'));
  });
});
