/** The YAML files of an AtoM root, which its owner may write, made to grow or to nest while they are read. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, expect, test} from 'vitest';
import {createScratch, runAtomctl} from '../support/sandbox.ts';

const letters = [...'abcdefghij'];
const tenOf = (anchor: string) => `[${Array(10).fill(`*${anchor}`).join(',')}]`;

/** Each is refused in one sentence. */
const REFUSED: [string, string][] = [
  [
    'aliases of aliases',
    letters.map((name, at) => `${name}: &${name} ${at === 0 ? '[x]' : tenOf(letters[at - 1]!)}`).join('\n'),
  ],
  [
    'merges of merges',
    letters
      .map((name, at) => `${name}: &${name} {${at === 0 ? 'k: x' : `<<: ${tenOf(letters[at - 1]!)}`}}`)
      .join('\n'),
  ],
  ['an alias of itself', 'all: &a {servers: *a}'],
  ['ten thousand lists in lists', '['.repeat(10_000)],
  ['ten thousand keys in keys', '{a: '.repeat(10_000)],
  ['more keys than a parser reads at once', 'a: 1\n'.repeat(60_000)],
  [
    'PHP that prints half a gigabyte',
    `a: <?php $a = 'xxxxxxxx'; ${'$a = $a . $a; '.repeat(16)}?>${'<?= $a ?>'.repeat(900)}`,
  ],
];

/** Each is read as what it is: no type is made of it. */
const READ: [string, string][] = [
  [
    'tags of other languages',
    'x: !!js/function "function () { throw 1 }"\ny: !!python/object/apply:os.system ["id"]\nz: !<tag:x> 1',
  ],
  [
    'keys of every object',
    '__proto__: {servers: {polluted: 10.0.0.1}}\nconstructor: {prototype: {servers: 1}}',
  ],
];

let root: string;

beforeAll(() => {
  root = createScratch('yaml');
  mkdirSync(join(root, 'config'));
  for (const name of ['symfony', 'config/ProjectConfiguration.class.php'])
    writeFileSync(join(root, name), '');
  writeFileSync(
    join(root, 'config/config.php'),
    "<?php return ['all' => ['propel' => ['param' => ['dsn' => 'mysql:host=db;dbname=x', 'username' => 'x']]]];",
  );
});

function readConfig(yaml: string) {
  writeFileSync(join(root, 'config/gearman.yml'), `${yaml}\n`);
  // Much less than the machine has: a bomb would end it.
  return runAtomctl(['config', '--json'], {
    env: {ATOMCTL_ROOT: root, NODE_OPTIONS: '--max-old-space-size=200'},
  });
}

test.each(REFUSED)('gearman.yml with %s is refused in one sentence', async (_what, yaml) => {
  const {code, stdout, stderr} = await readConfig(yaml);
  expect([code, stderr, JSON.parse(stdout)]).toEqual([
    2,
    '',
    {error: expect.objectContaining({message: expect.stringContaining(join(root, 'config/gearman.yml'))})},
  ]);
});

test.each(READ)('gearman.yml with %s gives no server', async (_what, yaml) => {
  const {code, stdout} = await readConfig(yaml);
  expect([code, JSON.parse(stdout).gearmanServers.value]).toEqual([0, ['127.0.0.1:4730']]);
});
