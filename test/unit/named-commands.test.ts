import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {COMMANDS} from '../../src/cli/start/command-table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `atomctl jobs:list`, but not `atomctl jobs:…`. */
const NAMED = /\batomctl ([a-z]+:[a-z-]+)\b/g;

function textsBelow(directory: string, end: RegExp): [string, string][] {
  return readdirSync(join(ROOT, directory), {recursive: true, encoding: 'utf8'})
    .filter((name) => end.test(name))
    .map((name) => [`${directory}/${name}`, readFileSync(join(ROOT, directory, name), 'utf8')]);
}

test('each command that a message or a page tells to run exists', () => {
  const texts = [
    ...textsBelow('src', /\.ts$/),
    ...textsBelow('docs', /\.md$/),
    ['README.md', readFileSync(join(ROOT, 'README.md'), 'utf8')] as [string, string],
  ];
  const named = texts.flatMap(([path, text]) =>
    [...text.matchAll(NAMED)].map(([, id]) => [path, id!] as const),
  );
  expect(named.length).toBeGreaterThan(100);
  expect(named.filter(([, id]) => !Object.hasOwn(COMMANDS, id))).toEqual([]);
});
