import {mkdirSync, realpathSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {findRoot as findRootAs, type RootSearch} from '../../../src/atom/site-root.ts';
import {createScratch} from '../../support/scratch.ts';
import {createRoot, writeFiles} from '../../support/site/atom-files.ts';

const LANDMARKS = {symfony: '', 'config/ProjectConfiguration.class.php': ''};
const NOWHERE = createScratch('nowhere');

const findRoot = (search: Omit<RootSearch, 'callerUid'>) =>
  findRootAs({callerUid: process.geteuid!(), ...search});

function flag(value: string) {
  return {value, origin: '--atom-root'};
}

describe('the root', () => {
  it('is the given directory, relative to the working directory, links resolved, no trailing slash', async () => {
    const root = createRoot();
    const link = join(createScratch('link'), 'current');
    symlinkSync(root, link);
    for (const value of [root, `${root}/`, link, `${link}/`, `${link}/config/..`]) {
      expect(await findRoot({given: flag(value), cwd: NOWHERE, usualPlaces: []})).toEqual({
        value: root,
        origin: '--atom-root',
      });
    }
    expect(await findRoot({given: flag('..'), cwd: join(root, 'config'), usualPlaces: []})).toMatchObject({
      value: root,
    });
  });

  it('is never searched elsewhere if the given directory is not one', async () => {
    const root = createRoot();
    const search = (value: string) => findRoot({given: flag(value), cwd: root, usualPlaces: [root]});
    await expect(search(NOWHERE)).rejects.toThrow(`${NOWHERE} (--atom-root) is not an AtoM installation`);
    await expect(search('/no/such')).rejects.toThrow(
      'The AtoM root /no/such (--atom-root) cannot be read: it does not exist',
    );
    await expect(search(NOWHERE)).rejects.toMatchObject({code: 'USAGE'});
  });

  it('is the working directory or the nearest of its parents', async () => {
    const outer = createRoot();
    const inner = join(outer, 'plugins/inner');
    writeFiles(inner, LANDMARKS);
    mkdirSync(join(inner, 'apps/qubit'), {recursive: true});
    const found = (cwd: string) => findRoot({given: undefined, cwd, usualPlaces: []});
    expect(await found(outer)).toEqual({value: outer, origin: 'working directory'});
    expect(await found(join(outer, 'config'))).toMatchObject({value: outer});
    expect(await found(join(inner, 'apps/qubit'))).toMatchObject({value: inner});
  });

  it('needs both landmarks', async () => {
    const half = realpathSync(createScratch('half'));
    writeFiles(half, {symfony: ''});
    mkdirSync(join(half, 'config/ProjectConfiguration.class.php'), {recursive: true});
    expect(await findRoot({given: undefined, cwd: half, usualPlaces: [half]})).toEqual({
      value: null,
      origin: 'not found',
    });
  });

  it('is otherwise in a usual place, in which a star means any name', async () => {
    const places = realpathSync(createScratch('places'));
    writeFiles(places, {
      'nginx/other/src/index.html': '',
      'nginx/site/src/symfony': '',
      'nginx/site/src/config/ProjectConfiguration.class.php': '',
    });
    symlinkSync('site/src', join(places, 'nginx/atom'));
    const usualPlaces = [
      `${places}/none`,
      `${places}/nginx/atom`,
      `${places}/nginx/*/src`,
      `${places}/none/*/src`,
    ];
    const search = () => findRoot({given: undefined, cwd: NOWHERE, usualPlaces});
    expect(await search()).toEqual({value: `${places}/nginx/site/src`, origin: 'usual place'});
    writeFiles(`${places}/nginx/other/src`, LANDMARKS);
    await expect(search()).rejects.toThrow(
      /Several AtoM installations were found: .*site\/src, .*other\/src/,
    );
  });
});
