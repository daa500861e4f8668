/** What the commands print with --json, against the schemas that docs/json.md has. */
import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {COMMANDS} from '../../src/cli/start/command-table.ts';
import {expectSchema, SCHEMAS} from '../support/json-schema.ts';
import {
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
  startWorker,
  submitJob,
  type WorkerProcess,
} from '../support/sandbox.ts';

let gearmand: GearmanProcess;
let worker: WorkerProcess;
let site: AtomSite;
let scratch: string;

beforeAll(async () => {
  gearmand = await startGearmand();
  const workerTypes = {general: ['arFindingAidJob', 'arFileImportJob']};
  site = await createSite({gearman: [gearmand.endpoint], workerTypes});
  worker = await startWorker(site);
  scratch = createScratch('json');
});

afterAll(async () => {
  await worker?.stop();
  await Promise.all([gearmand?.kill(), site?.drop()]);
});

const atomctl = (...args: string[]) => runAtomctl([...args, '--json'], {env: site.env});

/** The document of a command that ends with one of these statuses. */
async function documentOf(schema: string, args: string[], codes = [0]) {
  const {code, stdout} = await atomctl(...args);
  const document = expectSchema(schema, stdout);
  expect(codes).toContain(code);
  return document;
}

/** A job of which every field has a value, with hostile texts in it. */
function addFullJob(): Promise<number> {
  return site.insertJob({
    name: 'a "b"\u001b\u202e',
    status: 'error',
    objectId: 512,
    downloadPath: 'downloads/jobs/a.zip',
    notes: [{text: 'ü', error: true}],
    output: '[info] [2026-03-04 13:05:00] x\n',
  });
}

describe('what the commands print is as their schema has it', () => {
  test('jobs:list, jobs:show, jobs:why, jobs:wait, jobs:stats', async () => {
    const {id} = await submitJob(site, {jobClass: 'arFindingAidJob'});
    await documentOf('jobs-wait', ['jobs:wait', String(id)]);
    const [full, bare, running] = [
      await addFullJob(),
      await site.insertJob({
        status: 'unknown',
        startedAt: '0000-00-00 00:00:00',
        finishedAt: null,
        userId: null,
      }),
      await site.insertJob({status: 'running', startedAt: '2026-03-04 13:05:00'}),
    ];
    const list = await documentOf('jobs-list', ['jobs:list']);
    expect(list.jobs.map(({id}: {id: number}) => id)).toEqual([running, bare, full, id]);
    expect(list.jobs[0].live).not.toBeNull();
    const {stdout: lines} = await runAtomctl(['jobs:list', '--jsonl'], {env: site.env});
    for (const line of lines.trimEnd().split('\n')) expectSchema('job', line);
    for (const each of [id, full, bare, running]) await documentOf('jobs-show', ['jobs:show', String(each)]);
    await documentOf('jobs-why', ['jobs:why', String(full)]);
    const followed = await atomctl('jobs:show', '--follow', String(full));
    for (const line of followed.stdout.trimEnd().split('\n')) expectSchema('jobs-show-follow', line);
    await documentOf('jobs-wait', ['jobs:wait', String(running), '--max-wait', '0'], [1, 124]);
    await documentOf('jobs-stats', ['jobs:stats']);
    await documentOf('jobs-stats', ['jobs:stats', '--failed', '--name', 'nosuch']);
  });

  test('jobs:kill, jobs:mark, jobs:retry, jobs:clear, jobs:export-csv', async () => {
    const [lost, other] = [
      await site.insertJob({status: 'running'}),
      await site.insertJob({status: 'running'}),
    ];
    await documentOf('jobs-kill', ['jobs:kill', `${lost},9999999`, '--dry-run', '--force'], [1]);
    await documentOf('jobs-kill', ['jobs:kill', `${lost},9999999`, '--yes', '--force'], [0, 1]);
    await documentOf('jobs-kill', ['jobs:kill', String(lost), '--yes'], [5]);
    await documentOf('jobs-mark', ['jobs:mark', String(other), '--as', 'error', '--dry-run', '--force']);
    await documentOf('jobs-mark', ['jobs:mark', String(other), '--as', 'error', '--yes', '--force']);
    await documentOf('jobs-retry', ['jobs:retry', String(other), '--dry-run'], [0, 5]);
    await documentOf('jobs-retry', ['jobs:retry', `${other},9999999`, '--yes'], [1, 5]);
    const file = join(scratch, 'jobs.csv');
    await documentOf('jobs-export-csv', ['jobs:export-csv', '--output', file]);
    await documentOf('jobs-clear', ['jobs:clear', '--dry-run']);
    // Before a question, a file that cannot be written is an error.
    const taken = await documentOf('error', ['jobs:clear', '--dry-run', '--export', file], [2]);
    expect(taken.error).toMatchObject({code: 'OUTPUT_EXISTS', message: `${file} already exists.`});
    const exported = ['--export', join(scratch, 'cleared.csv')];
    await documentOf('jobs-clear', ['jobs:clear', '--failed', '--yes', '--delete-downloads', ...exported]);
  });

  test('queue:status, queue:workers, config, worker:unit', async () => {
    await documentOf('queue-status', ['queue:status', '--all', '--all-functions'], [0, 1]);
    const unhealthy = ['--gearman', `${gearmand.endpoint},127.0.0.1:9`, '--timeout', '1'];
    const {problems} = await documentOf('queue-status', ['queue:status', ...unhealthy], [1]);
    expect(problems.length).toBeGreaterThan(0);
    await documentOf('queue-workers', ['queue:workers', ...unhealthy], [1]);
    await documentOf('config', ['config']);
    const tls = `${site.databaseUrl}?ssl=verify-ca&sslCa=/x`;
    await documentOf('config', ['config', '--database-url', tls, '--function-prefix', '']);
    await documentOf('worker-unit', ['worker:unit']);
  });

  test('doctor, and what it fixes', async () => {
    await documentOf('doctor', ['doctor'], [0, 1]);
    const id = await site.insertJob({status: 'completed'});
    await site.query('DELETE FROM job WHERE id = ?', [id]);
    const plan = ['doctor', '--fix', '--dry-run', '--check', 'orphans'];
    expect(await documentOf('doctor', plan)).toMatchObject({planned: [{id: 'orphans'}], fixed: []});
    const {fixed} = await documentOf('doctor', ['doctor', '--fix', '--yes', '--check', 'orphans'], [0, 1]);
    expect(fixed).toHaveLength(1);
  });

  test('an error, and several sites', async () => {
    await documentOf('error', ['jobs:show', '9999999'], [4]);
    await documentOf('error', ['jobs:list', '--nope'], [2]);
    await documentOf('error', ['nope'], [2]);
    const config = join(scratch, 'config.yml');
    writeFileSync(config, `sites:\n  north: {root: ${site.root}}\n  south: {root: /nowhere}\n`);
    chmodSync(config, 0o600);
    const {stdout} = await runAtomctl(['jobs:stats', '--all-sites', '--json', '--config', config]);
    const {sites} = expectSchema('all-sites', stdout);
    expectSchema('jobs-stats', JSON.stringify(sites[0].result));
    expect(sites[1].result).toBeNull();
  });
});

describe('docs/json.md', () => {
  const text = readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => /^\| .*\(schemas\//.test(line));

  test('names every schema that there is, and no other', () => {
    const named = rows.flatMap((row) => /\(schemas\/([\w-]+)\.json\)/.exec(row)![1]!);
    expect(named.sort()).toEqual([...SCHEMAS].sort());
  });

  test('has a row for every command with --json', async () => {
    for (const [id, load] of Object.entries(COMMANDS)) {
      const {default: command} = await load();
      if (command.hidden || !command.enableJsonFlag) continue;
      expect(
        rows.some((row) => new RegExp(`\`${id}[ \`]`).test(row)),
        id,
      ).toBe(true);
    }
  });
});
