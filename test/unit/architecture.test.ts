import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), '../../src');

/** From which folders a folder may import. Every folder may import from itself and from the files at the top. */
const ARROWS: Record<string, readonly string[]> = {
  'cli/start': ['commands', 'cli', 'render'],
  commands: [
    'cli',
    'render',
    'report',
    'doctor',
    'jobs',
    'queue',
    'worker',
    'atom',
    'files',
    'mysql',
    'gearman',
    'systemd',
    'processes',
  ],
  cli: [
    'render',
    'report',
    'doctor',
    'host',
    'jobs',
    'queue',
    'worker',
    'atom',
    'php',
    'files',
    'mysql',
    'gearman',
    'systemd',
    'processes',
  ],
  // Renderers read the types and the tables of what they render; they never do anything.
  render: ['report', 'doctor', 'jobs', 'queue', 'worker', 'atom', 'systemd'],
  report: ['doctor', 'jobs', 'queue', 'atom', 'mysql', 'systemd'],
  doctor: ['host', 'jobs', 'worker', 'queue', 'atom', 'mysql', 'gearman', 'systemd', 'processes', 'files'],
  jobs: ['queue', 'atom', 'php', 'files', 'mysql', 'gearman', 'processes'],
  host: ['queue', 'atom', 'gearman', 'processes'],
  worker: ['queue', 'atom', 'gearman', 'systemd', 'files'],
  queue: ['atom', 'php', 'mysql', 'gearman'],
  atom: ['php', 'files', 'mysql', 'gearman'],
  php: ['files'],
  files: [],
  mysql: ['files'],
  gearman: [],
  systemd: [],
  processes: [],
};

/** Inside jobs/: each folder may import from those below it. */
const JOB_LAYERS: readonly (readonly string[])[] = [
  ['hold'],
  ['kill', 'clear', 'mark', 'retry', 'save', 'wait', 'why'],
  ['health'],
  ['live', 'export', 'stats'],
  ['model'],
];

/** Packages that take long to load: imported at the place of use. */
const HEAVY = ['mysql2', 'yaml', 'php-parser', 'cli-table3', 'csv-stringify', 'cli-progress', 'string-width'];

const LONGEST_RUN = 40;

type Sources = ReadonlyMap<string, string>;

interface Import {
  from: string;
  to: string;
}

function sourceFiles(): Map<string, string> {
  const paths = readdirSync(SRC, {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.ts'));
  return new Map(paths.map((path) => [path, readFileSync(join(SRC, path), 'utf8')]));
}

/** Every import between files of src, of values or types, at load or later. */
function importsOf(files: Sources): Import[] {
  return [...files].flatMap(([from, text]) =>
    [...text.matchAll(/(?:from|import\()\s*'(\.[^']+\.ts)'/g)].map(([, path]) => ({
      from,
      to: relative(SRC, resolve(SRC, dirname(from), path!)),
    })),
  );
}

/** cli/start is above the commands, cli below them. */
function folderOf(file: string): string {
  if (file.startsWith('cli/start/')) return 'cli/start';
  return file.includes('/') ? file.split('/')[0]! : '';
}

/** Imports against the arrows, each as `from -> to`. */
function wrongArrows(files: Sources): string[] {
  return importsOf(files)
    .filter(({from, to}) => {
      const [here, there] = [folderOf(from), folderOf(to)];
      return there !== '' && here !== there && !ARROWS[here]?.includes(there);
    })
    .map(({from, to}) => `${from} -> ${to}`);
}

/** Imports inside jobs/ that go up or sideways between its folders. */
function wrongJobLayers(files: Sources): string[] {
  const layerOf = (path: string) =>
    JOB_LAYERS.findIndex((folders) => folders.some((folder) => path.startsWith(`jobs/${folder}/`)));
  const folder = (path: string) => path.split('/')[1];
  return importsOf(files)
    .filter(({from, to}) => from.startsWith('jobs/') && to.startsWith('jobs/') && folder(from) !== folder(to))
    .filter(({from, to}) => layerOf(from) > layerOf(to))
    .map(({from, to}) => `${from} -> ${to}`);
}

/** Groups of files that import each other in a circle. */
function cycles(files: Sources): string[][] {
  const targets = new Map<string, string[]>();
  for (const {from, to} of importsOf(files)) targets.set(from, [...(targets.get(from) ?? []), to]);
  const reached = (start: string) => {
    const seen = new Set<string>();
    for (const open = [start]; open.length > 0; ) {
      for (const next of targets.get(open.pop()!) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    }
    return seen;
  };
  const reachable = new Map([...files.keys()].map((file) => [file, reached(file)]));
  const groups = [...files.keys()]
    .filter((file) => reachable.get(file)!.has(file))
    .map((file) =>
      [...reachable.get(file)!]
        .filter((other) => reachable.get(other)?.has(file))
        .sort()
        .join(' '),
    );
  return [...new Set(groups)].map((group) => group.split(' '));
}

/** Commands whose run() has more than forty lines, from its signature to its closing brace. */
function longRuns(files: Sources): string[] {
  return [...files].flatMap(([path, text]) => {
    const [whole = ''] = /^ {2}async run\(\)[\s\S]*?^ {2}\}$/m.exec(text) ?? [];
    const lines = whole.split('\n').length;
    return path.startsWith('commands/') && lines > LONGEST_RUN ? [`${path}: ${lines} lines`] : [];
  });
}

/** Uses of Node's global `process` outside cli/. */
function processUses(files: Sources): string[] {
  return [...files].flatMap(([path, text]) => {
    if (path.startsWith('cli/')) return [];
    const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    return /(?<![\w$]|(?<!\.\.)\.)process\s*(?:[?.[;]|$)|(?:from|import\(?|require\()\s*'(?:node:)?process'|globalThis\.process/.test(
      code,
    )
      ? [path]
      : [];
  });
}

function heavyImports(files: Sources): string[] {
  return [...files].flatMap(([path, text]) =>
    HEAVY.filter((name) => new RegExp(`^import (?!type)[^;]*from '${name}[/']`, 'm').test(text)).map(
      (name) => `${path}: ${name}`,
    ),
  );
}

describe('the map of the folders', () => {
  const files = sourceFiles();
  const planted = (path: string, text: string) => new Map(files).set(path, text);

  it('has every folder of src on it', () => {
    const folders = new Set([...files.keys()].map(folderOf).filter((folder) => folder !== ''));
    expect([...folders].filter((folder) => !(folder in ARROWS))).toEqual([]);
    const jobFolders = new Set([...files.keys()].flatMap((path) => /^jobs\/([^/]+)\//.exec(path)?.[1] ?? []));
    expect([...jobFolders].filter((folder) => !JOB_LAYERS.flat().includes(folder))).toEqual([]);
  });

  it('imports along the arrows only', () => {
    expect(importsOf(files).length).toBeGreaterThan(500);
    expect(wrongArrows(files)).toEqual([]);
  });

  it('fails for an arrow that is turned round, also in a late import', () => {
    expect(
      wrongArrows(planted('gearman/turned.ts', "import type {Job} from '../jobs/model/job.ts';")),
    ).toEqual(['gearman/turned.ts -> jobs/model/job.ts']);
    const late = "const {renderTable} = await import('../../render/table.ts');";
    expect(wrongArrows(planted('jobs/model/turned.ts', late))).toEqual([
      'jobs/model/turned.ts -> render/table.ts',
    ]);
  });

  it('has kill, clear, wait and health above live, and live above model', () => {
    expect(wrongJobLayers(files)).toEqual([]);
  });

  it('fails for a job folder that imports from above', () => {
    expect(
      wrongJobLayers(planted('jobs/model/up.ts', "import {liveStates} from '../live/live-state.ts';")),
    ).toEqual(['jobs/model/up.ts -> jobs/live/live-state.ts']);
    expect(wrongJobLayers(planted('jobs/live/up.ts', "import {killJobs} from '../kill/kill.ts';"))).toEqual([
      'jobs/live/up.ts -> jobs/kill/kill.ts',
    ]);
  });

  it('has no circular dependencies', () => {
    expect(cycles(files)).toEqual([]);
  });

  it('fails for a circle, also of types alone', () => {
    const circle = planted('files/one.ts', "import type {Two} from './two.ts';").set(
      'files/two.ts',
      "import './one.ts'; import type {One} from './one.ts';",
    );
    expect(cycles(circle)).toEqual([['files/one.ts', 'files/two.ts']]);
  });

  it(`keeps run() of every command at ${LONGEST_RUN} lines or fewer`, () => {
    expect(longRuns(files)).toEqual([]);
  });

  it('fails for a run() of one line more', () => {
    const body = '    this.exitWith(0);\n'.repeat(LONGEST_RUN - 1);
    const long = planted('commands/long.ts', `class Long {\n  async run(): Promise<void> {\n${body}  }\n}\n`);
    expect(longRuns(long)).toEqual([`commands/long.ts: ${LONGEST_RUN + 1} lines`]);
  });

  it("names Node's global process only in cli/", () => {
    expect(processUses(files)).toEqual([]);
  });

  it.each([
    'const user = process.getuid?.();',
    "import {env} from 'node:process';",
    'globalThis.process',
    'const env = {...process.env};',
  ])('fails for %s elsewhere', (text) => {
    expect(processUses(planted('worker/planted.ts', text))).toContain('worker/planted.ts');
    expect(processUses(planted('cli/planted.ts', text))).not.toContain('cli/planted.ts');
  });

  it('loads no heavy package with a command: they are imported at the place of use', () => {
    expect(heavyImports(files)).toEqual([]);
  });

  it('fails for a heavy package at the top of a file', () => {
    expect(heavyImports(planted('mysql/heavy.ts', "import {createConnection} from 'mysql2';"))).toEqual([
      'mysql/heavy.ts: mysql2',
    ]);
  });

  it('prints the sizes of the folders', () => {
    const sizes = new Map<string, number>();
    for (const path of files.keys()) sizes.set(dirname(path), (sizes.get(dirname(path)) ?? 0) + 1);
    const largest = [...sizes].sort(([, one], [, other]) => other - one);
    console.info(largest.map(([folder, count]) => `${folder} ${count}`).join(', '));
    expect(largest.length).toBeGreaterThan(10);
  });
});
