import {execFile} from 'node:child_process';
import {copyFile, readdir, readFile, writeFile} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {installPackage, type PackedPackage, packPackage} from '../support/package.ts';
import {
  type AtomSite,
  createScratch,
  createSite,
  runAtomctl,
  runOnTerminal,
  startGearmand,
} from '../support/sandbox.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START = [
  'bin/run.cjs',
  'dist/packages/oclif-core.cjs',
  'dist/shared/debug.cjs',
  'dist/shared/flags.cjs',
  'dist/start/main.cjs',
];

/** The files of this repository that one run of atomctl loads, as V8 itself counts them. */
async function loadedBy(args: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  const directory = createScratch('coverage');
  const {stderr} = await runAtomctl(args, {env: {...env, NODE_V8_COVERAGE: directory}});
  expect(stderr).toBe('');
  const [file] = await readdir(directory);
  const {result} = JSON.parse(await readFile(join(directory, file!), 'utf8')) as {result: {url: string}[]};
  return result
    .flatMap(({url}) => (url.startsWith('file:') ? [relative(ROOT, fileURLToPath(url))] : []))
    .sort();
}

/** The files of a start, with a command, what all lists of jobs share, and the packages that it uses. */
function start(command: string, ...packages: string[]): string[] {
  return [
    ...START,
    'dist/shared/common.cjs',
    `dist/commands/${command}.cjs`,
    ...packages.map((name) => `dist/packages/${name}.cjs`),
  ].sort();
}

/** Without the files of our own code that only some commands share. */
function withoutShared(files: readonly string[]): string[] {
  return files.filter((file) => !/^dist\/shared\/(?!common|flags|debug)/.test(file));
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
    expect(await loadedBy(['--version'])).toEqual(START);
  });

  it('--help', async () => {
    const shared = ['common', 'help-topics', 'show-help'].map((name) => `dist/shared/${name}.cjs`);
    expect(await loadedBy(['--help'])).toEqual([...START, ...shared].sort());
  });

  it('queue:status without files of AtoM', async () => {
    const files = await loadedBy(['queue:status', '--no-database', ...queue]);
    expect(withoutShared(files)).toEqual(start('queue-status'));
  });

  it('queue:status with the YAML files of AtoM', async () => {
    const files = await loadedBy(['queue:status', '--no-database', '--json'], site.env);
    expect(withoutShared(files)).toEqual(start('queue-status', 'yaml'));
  });

  it('jobs:list', async () => {
    expect(await loadedBy(['jobs:list', '--quiet', ...database, ...queue])).toEqual(
      start('jobs-list', 'mysql2'),
    );
  });

  it('jobs:list in a site whose config.php and settings.yml are PHP', async () => {
    const files = await loadedBy(['jobs:list', '--json'], site.env);
    expect(files).toEqual(start('jobs-list', 'mysql2', 'yaml', 'php-parser'));
  });

  it('jobs:export-csv', async () => {
    const files = await loadedBy(['jobs:export-csv', ...database]);
    expect(withoutShared(files)).toEqual(start('jobs-export-csv', 'mysql2', 'csv-stringify-sync'));
  });
});

describe('I2: an old Node', () => {
  it.each(['12.22.12', '18.20.8', '20.11.1'])('%s gets one sentence and exit status 2', async (version) => {
    const hook = join(createScratch('hook'), 'hook.cjs');
    const versions = `{...process.versions, node: '${version}'}`;
    await writeFile(hook, `Object.defineProperty(process, 'versions', {value: ${versions}});`);
    const {code, stdout, stderr} = await runAtomctl(['--version'], {
      env: {NODE_OPTIONS: `--require=${hook}`},
    });
    expect({code, stdout}).toEqual({code: 2, stdout: ''});
    expect(stderr).toBe(
      `atomctl needs Node.js 20.12 or later, and this is ${version}: get one from https://nodejs.org/en/download.\n`,
    );
  });
});

it('I8: npm install in a clone leaves package-lock.json as it is', async () => {
  const clone = createScratch('clone');
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    await copyFile(join(ROOT, name), join(clone, name));
  const options = ['--package-lock-only', '--offline', `--cache=${createScratch('npm-cache')}`];
  await promisify(execFile)('npm', ['install', ...options], {cwd: clone});
  const [before, after] = [ROOT, clone].map((root) => readFile(join(root, 'package-lock.json'), 'utf8'));
  expect(await after).toBe(await before);
});

interface Component {
  name: string;
  version: string;
  hashes: {alg: string; content: string}[];
}

describe('the package', () => {
  let packed: PackedPackage;
  let atomctl: string;
  let prefix: string;

  beforeAll(async () => {
    packed = await packPackage();
    prefix = createScratch('prefix');
    atomctl = await installPackage(packed.tarball, prefix);
  });

  it('I1, I3: holds the program, its manual, documents, completions and licences, and no cache of any runtime', () => {
    const kinds = new Set(packed.files.map((path) => path.replace(/^(dist\/\w+|\w+)\/.*(\.\w+)$/, '$1/*$2')));
    expect([...kinds].sort()).toEqual([
      'LICENSE',
      'README.md',
      'bin/*.cjs',
      'completions/*.bash',
      'completions/*.fish',
      'completions/_atomctl',
      'dist/*.json',
      'dist/*.txt',
      'dist/commands/*.cjs',
      'dist/packages/*.cjs',
      'dist/shared/*.cjs',
      'dist/start/*.cjs',
      'dist/start/*.json',
      'docs/*.json',
      'docs/*.md',
      'docs/*.svg',
      'man/*.1',
      'package.json',
    ]);
  });

  it('is less than 12 MiB', () => {
    expect(packed.unpackedBytes).toBeLessThan(12 * 1024 * 1024);
  });

  it('I4, I5: runs nothing when it is installed, and installs itself alone and its manual page', async () => {
    const {scripts, dependencies} = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(Object.keys(scripts).filter((name) => /install|prepare/.test(name))).toEqual([]);
    expect(dependencies).toBeUndefined();
    expect(await readdir(join(prefix, 'lib/node_modules'))).toEqual(['atomctl']);
    expect(await readdir(join(prefix, 'lib/node_modules/atomctl'))).not.toContain('node_modules');
    expect(await readdir(join(prefix, 'share/man/man1'))).toEqual(['atomctl.1']);
  });

  it('holds the licence of each package that it bundles', async () => {
    const text = await readFile(join(prefix, 'lib/node_modules/atomctl/dist/licences.txt'), 'utf8');
    const licences = new Map(
      text.split(`${'-'.repeat(80)}\n`).map((part) => [part.trim().split(' ')[0]!, part]),
    );
    const direct = ['@oclif/core', 'cli-progress', 'cli-table3', 'csv-stringify', 'mysql2', 'php-parser'];
    const indirect = ['ansis', 'long', 'lru.min', 'sql-escaper', 'string-width', 'yaml'];
    expect([...licences.keys()]).toEqual(expect.arrayContaining([...direct, ...indirect]));
    const short = [...licences].filter(([, licence]) => licence.length < 500).map(([name]) => name);
    expect(short).toEqual([]);
  });

  it('lists each package that it bundles with its version, archive and licence, as npm does', async () => {
    const file = join(prefix, 'lib/node_modules/atomctl/dist/sbom.json');
    const {components} = JSON.parse(await readFile(file, 'utf8'));
    const text = await readFile(join(prefix, 'lib/node_modules/atomctl/dist/licences.txt'), 'utf8');
    expect(components.length).toBeGreaterThan(20);
    const names = components.map(({name, version}: Component) => `${name} ${version}`);
    for (const name of names) expect(text).toContain(`${name}\n`);
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
    for (const {name, version, hashes} of components as Component[]) {
      const [alg, content] = [hashes[0]!.alg, Buffer.from(hashes[0]!.content, 'hex').toString('base64')];
      const archives = Object.entries<{version: string; integrity: string}>(lock.packages)
        .filter(([path]) => path.endsWith(`node_modules/${name}`))
        .map(([, archive]) => [archive.version, archive.integrity]);
      expect([alg, archives]).toEqual(['SHA-512', expect.arrayContaining([[version, `sha512-${content}`]])]);
    }
  });

  it.each([
    [['--version'], /^atomctl\/\S+ /],
    [['--help'], /\nCOMMANDS\n/],
    [['jobs:list', '--help'], /\nUSAGE\n {2}atomctl jobs:list/],
    [['jobs:lst'], /^Error: Unknown command "jobs:lst"\. Did you mean jobs:list\?\n/],
  ])('I6: runs without node_modules on a terminal: %s', async (args, expected) => {
    const {code, screen} = await runOnTerminal(args, {
      atomctl: [process.execPath, atomctl],
      env: {CI: '', NO_COLOR: '1'},
    });
    expect(screen).toMatch(expected);
    expect(code).toBe(args[0] === 'jobs:lst' ? 2 : 0);
  });

  it('prints its completions', async () => {
    const {screen} = await runOnTerminal(['completion', 'bash'], {atomctl: [process.execPath, atomctl]});
    expect(screen).toBe(await readFile(join(ROOT, 'completions/atomctl.bash'), 'utf8'));
  });
});
