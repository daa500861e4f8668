import {execFile} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {cp, readdir, readFile, rm, stat, truncate, writeFile} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type AtomSite, createScratch, createSite, runAtomctl, startGearmand} from '../support/sandbox.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START = [
  'bin/run.cjs',
  'dist/cli/main.cjs',
  'dist/packages/cli-debug.cjs',
  'dist/packages/oclif-core.cjs',
];

interface Coverage {
  result: {url: string; functions: {functionName: string; ranges: {count: number}[]}[]}[];
}

/** What one run of atomctl loads, as V8 itself counts it: files of this repository, and packages' files in them. */
async function loadedBy(args: readonly string[], env: Record<string, string> = {}) {
  const directory = createScratch('coverage');
  const {stderr} = await runAtomctl(args, {env: {...env, NODE_V8_COVERAGE: directory}});
  expect(stderr).toBe('');
  const [file] = await readdir(directory);
  const {result} = JSON.parse(await readFile(join(directory, file!), 'utf8')) as Coverage;
  const own = result.filter(({url}) => url.startsWith('file:'));
  return {
    files: own.map(({url}) => relative(ROOT, fileURLToPath(url))).sort(),
    evaluated: own
      .flatMap(({functions}) => functions)
      .filter(({functionName, ranges}) => functionName.startsWith('node_modules/') && ranges[0]!.count > 0)
      .map(({functionName}) => functionName.replace('node_modules/', '')),
  };
}

/** The files of a start, with a command and the packages that it uses. */
function start(command: string, ...packages: string[]): string[] {
  return [
    ...START,
    `dist/commands/${command}.cjs`,
    ...packages.map((name) => `dist/packages/${name}.cjs`),
  ].sort();
}

describe('a start loads what it uses and nothing else:', () => {
  let site: AtomSite;
  let database: string[];
  let queue: string[];

  beforeAll(async () => {
    const {endpoint} = await startGearmand();
    site = await createSite({gearman: [endpoint]});
    await site.seedJobs(3);
    database = ['--database-url', site.databaseUrl, '--timezone', site.timezone];
    queue = ['--gearman', endpoint, '--function-prefix', site.prefix];
  });
  afterAll(() => site.drop());

  it('--version', async () => {
    const {files, evaluated} = await loadedBy(['--version']);
    expect(files).toEqual(START);
    expect(evaluated).toContain('@oclif/core/lib/main.js');
    expect(evaluated).not.toContain('@oclif/core/lib/help/command.js');
    expect(evaluated.filter((name) => !name.startsWith('@oclif/core/'))).toEqual([]);
  });

  it('queue:status without files of AtoM', async () => {
    const {files} = await loadedBy(['queue:status', '--no-database', ...queue]);
    expect(files).toEqual(start('queue/status'));
  });

  it('queue:status with the YAML files of AtoM', async () => {
    const {files} = await loadedBy(['queue:status', '--no-database', '--json'], site.env);
    expect(files).toEqual(start('queue/status', 'yaml'));
  });

  it('jobs:list', async () => {
    const {files, evaluated} = await loadedBy(['jobs:list', ...database, ...queue]);
    expect(files).toEqual(start('jobs/list', 'mysql2'));
    const late = evaluated.filter((name) => /constants\/errors|long|pool|iconv|promise/.test(name));
    expect(late).toEqual([]);
  });

  it('jobs:list in a site whose config.php and settings.yml are PHP', async () => {
    const {files} = await loadedBy(['jobs:list', '--json'], site.env);
    expect(files).toEqual(start('jobs/list', 'mysql2', 'yaml', 'php-parser'));
  });

  it('jobs:export-csv', async () => {
    const {files} = await loadedBy(['jobs:export-csv', ...database]);
    expect(files).toEqual(start('jobs/export-csv', 'mysql2', 'csv-stringify'));
  });
});

/** A copy of what npm installs. */
async function install(): Promise<string> {
  const root = createScratch('install');
  for (const name of ['bin', 'dist', 'oclif.manifest.json', 'package.json']) {
    await cp(join(ROOT, name), join(root, name), {recursive: true});
  }
  return root;
}

const TELL_WHAT_IS_COMPILED = `
  const vm = require('node:vm');
  vm.Script = class extends vm.Script {
    constructor(code, options) {
      super(code, options);
      console.error(this.cachedDataRejected === false ? 'kept' : 'compiled', options.filename);
    }
  };`;

describe('the build', () => {
  const dist = join(ROOT, 'dist');
  const modules = readdirSync(dist, {recursive: true, encoding: 'utf8'}).filter((name) =>
    name.endsWith('.cjs'),
  );

  it('is small', async () => {
    const packages = modules.filter((name) => name.startsWith('packages/'));
    const sizes = await Promise.all(modules.map(async (name) => (await stat(join(dist, name))).size));
    expect(packages.length).toBeLessThan(20);
    expect(Math.max(...sizes)).toBeLessThan(300_000);
  });

  it.each([['--version'], ['jobs:list', '--help'], ['config', '--json']])(
    'holds what V8 made of each module, and V8 takes it back: %s',
    async (...args) => {
      const hook = join(createScratch('hook'), 'hook.cjs');
      await writeFile(hook, TELL_WHAT_IS_COMPILED);
      const {stderr} = await runAtomctl(args, {env: {NODE_OPTIONS: `--require=${hook}`}});
      expect(stderr).toMatch(/^(kept .*\n){3,}/);
      expect(stderr).not.toContain('compiled ');
    },
  );

  it.each([
    [['queue:status'], /127\.0\.0\.1:\d+ +reachable/],
    [['jobs:list'], /1 of 1 jobs shown: 1 completed\./],
    [['jobs:show', '1'], /Object: +a-fonds/],
  ])('rehearses a start of %s that does what it does elsewhere', async (words, expected) => {
    const compile = join(await install(), 'bin/compile.cjs');
    const cwd = createScratch('rehearsal');
    const run = promisify(execFile)(process.execPath, [compile, ...words], {cwd, env: {}});
    // Nothing works here, and queue:status says so by its exit status.
    const {stdout} = await run.catch((error: {stdout: string}) => error);
    expect(stdout).toMatch(expected);
  });

  it('is compiled as well where there is no place to rehearse', async () => {
    const root = await install();
    const kept = join(root, 'dist/commands/jobs/list.cjs.v8');
    await rm(kept);
    const env = {TMPDIR: join(root, 'nowhere')};
    await promisify(execFile)(process.execPath, [join(root, 'bin/compile.cjs')], {env});
    expect((await stat(kept)).size).toBeGreaterThan(0);
  });

  it.each([
    ['nothing', null],
    ['something else', 'not from V8'],
    ['what was cut off', 1000],
  ])('starts as well with %s of it', async (_, kept) => {
    const root = await install();
    for (const name of modules) {
      const file = join(root, 'dist', `${name}.v8`);
      if (kept === null) await rm(file);
      else if (typeof kept === 'string') await writeFile(file, kept);
      else await truncate(file, kept);
    }
    const {stdout} = await promisify(execFile)(process.execPath, [
      join(root, 'bin/run.cjs'),
      'config',
      '--help',
    ]);
    expect(stdout).toContain('atomctl config');
  });
});
