import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), '../../src');

/** Which rooms a room may import from; every room may import from itself and from errors.ts. */
const ARROWS: Record<string, readonly string[]> = {
  commands: ['cli', 'render', 'doctor', 'jobs', 'queue', 'worker', 'atom', 'mysql', 'gearman', 'systemd'],
  cli: ['render', 'doctor', 'jobs', 'queue', 'worker', 'atom', 'mysql', 'gearman', 'systemd', 'processes'],
  // Renderers read the types of what they render, and the tables of words; they never do anything.
  render: ['doctor', 'jobs', 'queue', 'worker', 'atom', 'systemd'],
  doctor: ['jobs', 'worker', 'queue', 'atom', 'mysql', 'gearman', 'systemd', 'processes'],
  jobs: ['queue', 'atom', 'mysql', 'gearman', 'processes'],
  worker: ['queue', 'atom', 'gearman', 'systemd'],
  queue: ['atom', 'gearman', 'mysql'],
  atom: ['mysql', 'gearman'],
  mysql: [],
  gearman: [],
  systemd: [],
  processes: [],
};

interface Import {
  from: string;
  to: string;
}

/** Every import between files of `src`, static or not. */
function importsOf(files: ReadonlyMap<string, string>): Import[] {
  return [...files].flatMap(([from, text]) =>
    [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) => ({
      from,
      to: relative(SRC, resolve(SRC, dirname(from), path!)),
    })),
  );
}

function roomOf(file: string): string {
  return file.includes('/') ? file.split('/')[0]! : '';
}

/** Imports against the arrows, each as `from -> to`. */
function strayArrows(files: ReadonlyMap<string, string>): string[] {
  return importsOf(files)
    .filter(({from, to}) => {
      const [here, there] = [roomOf(from), roomOf(to)];
      return there !== '' && here !== there && !ARROWS[here]?.includes(there);
    })
    .map(({from, to}) => `${from} -> ${to}`);
}

function sourceFiles(): Map<string, string> {
  const paths = readdirSync(SRC, {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.ts'));
  return new Map(paths.map((path) => [path, readFileSync(join(SRC, path), 'utf8')]));
}

describe('the house', () => {
  const files = sourceFiles();

  it('has every room of src on the map', () => {
    const rooms = new Set([...files.keys()].map(roomOf).filter((room) => room !== ''));
    expect([...rooms].filter((room) => !(room in ARROWS))).toEqual([]);
  });

  it('imports along the arrows only', () => {
    expect(importsOf(files).length).toBeGreaterThan(100);
    expect(strayArrows(files)).toEqual([]);
  });

  it('notices an arrow that is turned round', () => {
    const turned = new Map(files).set('gearman/turned.ts', "import type {Job} from '../jobs/job.ts';");
    expect(strayArrows(turned)).toEqual(['gearman/turned.ts -> jobs/job.ts']);
    const late = new Map(files).set(
      'jobs/turned.ts',
      "const {renderTable} = await import('../render/table.ts');",
    );
    expect(strayArrows(late)).toEqual(['jobs/turned.ts -> render/table.ts']);
  });

  it('keeps every command file at eighty lines or fewer', () => {
    const long = [...files]
      .filter(([path]) => path.startsWith('commands/'))
      .map(([path, text]) => ({path, lines: text.trimEnd().split('\n').length}))
      .filter(({lines}) => lines > 80);
    expect(long).toEqual([]);
  });

  it('loads no heavy package with a command: they are imported where they are first used', () => {
    const heavy = [
      'mysql2',
      'yaml',
      'php-parser',
      'cli-table3',
      'csv-stringify',
      'cli-progress',
      'string-width',
      'chartscii',
    ];
    const found = [...files].flatMap(([path, text]) =>
      heavy
        .filter((name) => new RegExp(`^import (?!type)[^;]*from '${name}[/']`, 'm').test(text))
        .map((name) => `${path}: ${name}`),
    );
    expect(found).toEqual([]);
  });
});
