import {readdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {COMMANDS} from '../../../../src/cli/start/command-table.ts';

const DIRECTORY = fileURLToPath(new URL('../../../../src/commands', import.meta.url));

test('the table has each file of src/commands under its id, and nothing else', async () => {
  const files = readdirSync(DIRECTORY, {recursive: true, encoding: 'utf8'}).filter((file) =>
    file.endsWith('.ts'),
  );
  const ids = files.map((file) => file.replace(/\.ts$/, '').replaceAll('/', ':'));
  expect(Object.keys(COMMANDS).sort()).toEqual(ids.sort());
});

test.each(Object.keys(COMMANDS))('%s is imported from its own file', async (id) => {
  const {default: own} = await import(/* @vite-ignore */ `${DIRECTORY}/${id.replaceAll(':', '/')}.ts`);
  expect((await COMMANDS[id]!()).default).toBe(own);
});
