import {readdir, readFile, stat} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type AtomSite, createScratch, createSite, runAtomctl, startGearmand} from '../support/sandbox.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START = ['bin/run.js', 'dist/cli/main.js', 'dist/packages/cli-debug.js', 'dist/packages/oclif-core.js'];

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
    `dist/commands/${command}.js`,
    ...packages.map((name) => `dist/packages/${name}.js`),
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
    expect(files).toEqual(start('jobs/list', 'mysql2', 'temporal-polyfill'));
    const late = evaluated.filter((name) => /constants\/errors|long|pool|iconv|promise/.test(name));
    expect(late).toEqual([]);
  });

  it('jobs:list in a site whose config.php and settings.yml are PHP', async () => {
    const {files} = await loadedBy(['jobs:list', '--json'], site.env);
    expect(files).toEqual(start('jobs/list', 'mysql2', 'temporal-polyfill', 'yaml', 'php-parser'));
  });

  it('jobs:export-csv', async () => {
    const {files} = await loadedBy(['jobs:export-csv', ...database]);
    expect(files).toEqual(start('jobs/export-csv', 'mysql2', 'temporal-polyfill', 'csv-stringify'));
  });
});

it('is built from few modules', async () => {
  const names = await readdir(join(ROOT, 'dist/packages'));
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(ROOT, 'dist/packages', name))).size),
  );
  expect(names.length).toBeLessThan(20);
  expect(Math.max(...sizes)).toBeLessThan(700_000);
});
