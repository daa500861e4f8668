import {link, mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {isSameFile} from '../../../src/files/same-file.ts';

let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'atomctl-same-'));
  await writeFile(join(scratch, 'file'), '');
  await writeFile(join(scratch, 'other'), '');
  await link(join(scratch, 'file'), join(scratch, 'second-name'));
  await symlink(join(scratch, 'file'), join(scratch, 'link'));
  await mkdir(join(scratch, 'directory'));
  await symlink(scratch, join(scratch, 'here'));
});

afterEach(() => rm(scratch, {recursive: true}));

test.each([
  [true, 'file', 'directory/../file'],
  [true, 'file', 'second-name'],
  [true, 'file', 'link'],
  [true, 'file', 'here/file'],
  [true, 'new', 'here/new'],
  [false, 'file', 'other'],
  [false, 'new', 'file'],
  [false, 'new', 'directory/new'],
  [false, 'none/new', 'none/new'],
])('%s: %s and %s', async (isSame, one, other) => {
  expect(await isSameFile(join(scratch, one), join(scratch, other))).toBe(isSame);
});
