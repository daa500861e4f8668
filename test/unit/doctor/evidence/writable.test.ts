import {chmodSync, mkdirSync, rmdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, it} from 'vitest';
import {obstacleTo} from '../../../../src/doctor/evidence/writable.ts';
import {localAccount} from '../../../../src/host/accounts.ts';
import {createScratch} from '../../../support/scratch.ts';

const STRANGER = {name: 'stranger', uid: 4_000_000, gids: new Set([4_000_000])};
const OWN = {name: 'own', uid: process.geteuid!(), gids: new Set<number>()};

it('finds the directory that an account may not write to, or not enter, and follows a link', async () => {
  const scratch = createScratch('permissions');
  const downloads = join(scratch, 'disk/downloads');
  mkdirSync(downloads, {recursive: true});
  symlinkSync(join(scratch, 'disk'), join(scratch, 'linked'));
  for (const above of [dirname(scratch), scratch]) chmodSync(above, 0o755);
  chmodSync(downloads, 0o755);
  const found = () => obstacleTo(join(scratch, 'linked/downloads'), STRANGER);
  expect(await found()).toEqual({path: downloads, lacks: 'write to'});
  chmodSync(downloads, 0o777);
  expect(await found()).toBeNull();
  chmodSync(join(scratch, 'disk'), 0o750);
  expect(await found()).toEqual({path: join(scratch, 'disk'), lacks: 'enter'});
  expect(await obstacleTo(downloads, OWN)).toBeNull();
  rmdirSync(downloads);
  chmodSync(join(scratch, 'disk'), 0o755);
  expect(await found()).toEqual({path: join(scratch, 'disk'), lacks: 'write to'});
});

it('counts the groups of an account', async () => {
  const scratch = createScratch('accounts');
  const files = {passwd: join(scratch, 'passwd'), group: join(scratch, 'group')};
  writeFileSync(files.passwd, 'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\n');
  writeFileSync(files.group, 'www-data:x:33:\natom:x:50:deploy,www-data\nother:x:60:deploy\n');
  const account = {name: 'www-data', uid: 33, gids: new Set([33, 50])};
  expect(await localAccount('www-data', files)).toEqual(account);
  expect(await localAccount('33', files)).toEqual(account);
  expect(await localAccount('nobody', files)).toBeNull();
});
