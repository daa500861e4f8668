import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {readPhpVersion} from '../../../src/php/binary-version.ts';
import {createScratch} from '../../support/scratch.ts';

const scratch = createScratch('php-version');

test('the version is in the file of the interpreter, and is that which it prints', async ({skip}) => {
  const found = await readPhpVersion('/usr/bin/php');
  skip(found === null, 'There is no /usr/bin/php.');
  expect(execFileSync('/usr/bin/php', ['-r', 'echo PHP_VERSION;'], {encoding: 'utf8'})).toBe(found);
});

test('it is found anywhere in a large file, which is not run', async () => {
  const file = join(scratch, 'php');
  const pad = 'x'.repeat(1024 * 1024 - 30);
  writeFileSync(file, `#!/bin/sh\ntouch ${scratch}/ran\n${pad}X-Powered-By: PHP/7.4.33-x\0${pad}`, {
    mode: 0o755,
  });
  expect(await readPhpVersion(file)).toBe('7.4.33-x');
});

test('a file without it, a directory, a pipe and nothing at all have none', async () => {
  const [plain, pipe] = [join(scratch, 'plain'), join(scratch, 'pipe')];
  writeFileSync(plain, 'X-Powered-By: PHP/x');
  execFileSync('mkfifo', [pipe]);
  for (const path of [plain, scratch, pipe, join(scratch, 'none')])
    expect(await readPhpVersion(path)).toBeNull();
});
