import {chmodSync, chownSync, mkdirSync, realpathSync, symlinkSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {beforeEach, describe, expect, it} from 'vitest';
import {findRoot} from '../../../src/atom/site-root.ts';
import {createScratch} from '../../support/scratch.ts';
import {createRoot, writeFiles} from '../../support/site/atom-files.ts';

const NOWHERE = createScratch('nowhere');
const WWW_DATA = 33;
const NOBODY = 65534;
const CALLER = 1234;

/** A root whose places belong to these users; places that are not named belong to root. */
function rootOf(owners: Readonly<Record<string, number>>): string {
  const root = createRoot({'apps/qubit/config/settings.yml': ''});
  mkdirSync(join(root, 'cache'));
  for (const [place, uid] of Object.entries(owners)) chownSync(join(root, place), uid, uid);
  return root;
}

const fromWithin = (root: string, callerUid: number, usualPlaces: string[] = []) =>
  findRoot({given: undefined, cwd: join(root, 'config'), usualPlaces, callerUid});
const fromElsewhere = (root: string, callerUid: number) =>
  findRoot({given: undefined, cwd: NOWHERE, usualPlaces: [root], callerUid});

describe('a root that nobody named', () => {
  beforeEach(({skip}) => skip(process.geteuid!() !== 0, 'only root can make directories of other users'));

  it.each([
    ['root', {}],
    ['the caller', {'': CALLER, config: CALLER, 'apps/qubit/config': CALLER, cache: CALLER}],
    ['both', {config: CALLER, cache: CALLER}],
  ])('is trusted if it belongs to %s', async (_, owners) => {
    const root = rootOf(owners);
    expect(await fromWithin(root, CALLER)).toEqual({value: root, origin: 'working directory'});
  });

  it.each(['', 'config', 'apps/qubit/config', 'cache'])(
    'is refused if another user owns "%s"; its sentence says who, and how to name it',
    async (place) => {
      const root = rootOf({[place]: WWW_DATA});
      const refused = fromWithin(root, CALLER);
      await expect(refused).rejects.toMatchObject({
        code: 'USAGE',
        message: `The AtoM installation ${root}, found from the working directory, is not trusted: ${join(root, place)} belongs to www-data (uid 33), not to root or to you.`,
        hint: `If you trust it, give --atom-root ${root}`,
      });
      const given = {value: root, origin: '--atom-root'};
      const search = {given, cwd: NOWHERE, usualPlaces: [], callerUid: CALLER};
      expect(await findRoot(search)).toEqual(given);
    },
  );

  it('is refused to root too if it belongs to another user', async () => {
    const root = rootOf({config: WWW_DATA});
    await expect(fromWithin(root, 0)).rejects.toThrow(
      `${root}/config belongs to www-data (uid 33), not to root.`,
    );
  });

  it('is refused instead of another one that is trusted', async () => {
    const planted = rootOf({config: WWW_DATA});
    await expect(fromWithin(planted, CALLER, [rootOf({})])).rejects.toThrow(`installation ${planted}, `);
  });

  it('in a usual place may belong to any one user and root', async () => {
    const root = rootOf({'': WWW_DATA, config: WWW_DATA, 'apps/qubit/config': WWW_DATA});
    for (const caller of [0, CALLER]) {
      expect(await fromElsewhere(root, caller)).toEqual({value: root, origin: 'usual place'});
      expect(await fromWithin(root, caller, [root])).toMatchObject({value: root});
    }
  });

  it('in a usual place is refused if it belongs to two users', async () => {
    const root = rootOf({'': WWW_DATA, cache: NOBODY});
    const reason = `${root} belongs to www-data (uid 33) and ${root}/cache to nobody (uid 65534)`;
    await expect(fromElsewhere(root, 0)).rejects.toThrow(
      `found from a usual place, is not trusted: ${reason}.`,
    );
    await expect(fromWithin(root, 0, [root])).rejects.toThrow(reason);
  });

  it.each(['', 'config', 'apps/qubit/config'])('is refused if everyone may write "%s"', async (place) => {
    const root = rootOf({});
    chmodSync(join(root, place), 0o1777);
    const reason = `${join(root, place)} is writable by everyone`;
    await expect(fromWithin(root, CALLER)).rejects.toThrow(reason);
    await expect(fromElsewhere(root, CALLER)).rejects.toThrow(reason);
  });

  it('may have a cache that everyone may write, as symfony makes it', async () => {
    const root = rootOf({});
    chmodSync(join(root, 'cache'), 0o777);
    expect(await fromWithin(root, CALLER)).toMatchObject({value: root});
  });

  it('is judged by what its links lead to', async () => {
    const elsewhere = createScratch('elsewhere');
    writeFiles(elsewhere, {'qubit/config/settings.yml': ''});
    chownSync(join(elsewhere, 'qubit/config'), WWW_DATA, WWW_DATA);
    const root = createRoot();
    symlinkSync(elsewhere, join(root, 'apps'));
    await expect(fromWithin(root, CALLER)).rejects.toThrow('apps/qubit/config belongs to www-data');
  });
});

it('a root with a line break in its path is never found, only named', async () => {
  const root = join(realpathSync(createScratch('broken')), 'a\nExecStart=x');
  writeFiles(root, {symfony: '', 'config/ProjectConfiguration.class.php': ''});
  const refused = fromWithin(root, process.geteuid!());
  await expect(refused).rejects.toThrow('its path has control characters');
  await expect(refused).rejects.toThrow(`${dirname(root)}/a?ExecStart=x, found`);
});
