import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {findNamedSite, listSites} from '../../../src/atom/site-file.ts';
import {parseDatabaseUrl} from '../../../src/mysql/database-url.ts';
import {createScratch} from '../../support/scratch.ts';

const SURROUNDINGS = {env: {}, cwd: '/', siteFiles: []};

function write(text: string, mode = 0o600): string {
  const file = join(createScratch('site-file'), 'config.yml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const config = (file: string) => ({config: {value: file, origin: '--config'}});
const list = (text: string, mode?: number) => listSites(config(write(text, mode)), SURROUNDINGS);

const SMITH = `# sites
sites:
  smith:
    root: /usr/share/nginx/atom
    database: mysql://atom:hunter2@db/atom
    defaultsFile: /etc/atomctl/smith.cnf
    gearman: [127.0.0.1:4730, "[::1]:4730"]
    functionPrefix: 01234567890123456789012345678901
    timezone: America/Vancouver
    workers: this-host
    readOnly: true
  jones:
    gearman: gearmand
`;

describe('named sites', () => {
  it('have settings whose origin is file and line', async () => {
    const file = write(SMITH);
    const [smith, jones, ...others] = await listSites(config(file), SURROUNDINGS);
    expect(smith).toEqual({
      name: 'smith',
      origin: `${file}:3`,
      root: {value: '/usr/share/nginx/atom', origin: `${file}:4`},
      database: {
        value: parseDatabaseUrl('mysql://atom:hunter2@db/atom', 'x'),
        origin: `${file}:5`,
      },
      defaultsFile: {value: '/etc/atomctl/smith.cnf', origin: `${file}:6`},
      gearman: {value: ['127.0.0.1:4730', '[::1]:4730'], origin: `${file}:7`},
      functionPrefix: {value: '01234567890123456789012345678901', origin: `${file}:8`},
      timezone: {value: 'America/Vancouver', origin: `${file}:9`},
      workers: {value: 'this-host', origin: `${file}:10`},
      readOnly: {value: true, origin: `${file}:11`},
    });
    expect(smith?.database?.value.password.reveal()).toBe('hunter2');
    expect(jones).toEqual({
      name: 'jones',
      origin: `${file}:12`,
      gearman: {value: ['gearmand'], origin: `${file}:13`},
    });
    expect(others).toEqual([]);
  });

  it('S15: are not read from a file that everyone may write, nor from a pipe', async () => {
    await expect(list(SMITH, 0o602)).rejects.toThrow(/config\.yml is writable by everyone/);
    const pipe = join(createScratch('site-file'), 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(listSites(config(pipe), SURROUNDINGS)).rejects.toThrow(`${pipe} is not a regular file.`);
    await expect(listSites({}, {...SURROUNDINGS, siteFiles: [pipe]})).rejects.toThrow('not a regular file');
  });

  it('S18: are not read from a device, nor from a file without end', async () => {
    await expect(listSites(config('/dev/zero'), SURROUNDINGS)).rejects.toThrow(
      '/dev/zero is not a regular file.',
    );
    await expect(list('#'.repeat(300 * 1024))).rejects.toThrow('is larger than 256 KiB.');
  });

  it('of the user replace those of the system', async () => {
    const system = write('sites: {a: {timezone: UTC}, b: {timezone: UTC}}');
    const user = write('sites: {b: {root: /b}, c: {root: /c}}');
    const sites = await listSites({}, {...SURROUNDINGS, siteFiles: ['/no/such/file', system, user]});
    expect(sites.map(({name, origin}) => `${name} ${origin}`)).toEqual([
      `a ${system}:1`,
      `b ${user}:1`,
      `c ${user}:1`,
    ]);
    expect(sites[1]).not.toHaveProperty('timezone');
  });

  it('are searched in the XDG directory, otherwise in ~/.config', async () => {
    const home = createScratch('home');
    const env = {XDG_CONFIG_HOME: home};
    expect(await listSites({}, {env, cwd: '/'})).toEqual([]);
    const directory = join(home, 'atomctl');
    mkdirSync(directory);
    writeFileSync(join(directory, 'config.yml'), 'sites: {x: {root: /x}}');
    expect(await listSites({}, {env, cwd: '/'})).toMatchObject([{name: 'x'}]);
    mkdirSync(join(home, '.config/atomctl'), {recursive: true});
    writeFileSync(join(home, '.config/atomctl/config.yml'), 'sites: {y: {root: /y}}');
    expect(await listSites({}, {env: {HOME: home}, cwd: '/'})).toMatchObject([{name: 'y'}]);
  });

  it.each([
    ['sites:\n  a:\n    rot: /x\n', /^Unknown key "rot" at \S+config\.yml:3\.$/],
    ['site: {}\n', /^Unknown key "site" at \S+config\.yml:1\.$/],
    ['sites:\n  a: /x\n', /config\.yml:2, the site "a" must be a map/],
    ['sites:\n', /config\.yml:1, sites must be a map/],
    ['- a\n', /config\.yml:1, the file must be a map/],
    ['sites:\n  a:\n    root: x\n', /config\.yml:3, root must be an absolute path/],
    ['sites:\n  a:\n    workers: anywhere\n', /config\.yml:3, workers must be this-host/],
    ['sites:\n  a:\n    timezone: [UTC]\n', /config\.yml:3, timezone must be a text/],
    ['sites:\n  a:\n    gearman: [{a: b}]\n', /config\.yml:3, gearman must be a text/],
    ['sites:\n  a:\n    root: /x\n    root: /y\n', /config\.yml:4 is not valid YAML/],
    ['sites: [\n', /config\.yml:\d is not valid YAML/],
    ['sites:\n  a:\n    database: mysql://u:hunter2@h\n', /config\.yml:3\) has no database name/],
  ])('refuses %j', async (text, reason) => {
    await expect(list(text)).rejects.toThrow(reason);
    await expect(list(text)).rejects.toMatchObject({code: 'USAGE'});
    await expect(list(text)).rejects.not.toThrow(/hunter2/);
  });

  it('refuses a file with a password that others may read, and only that', async () => {
    for (const mode of [0o640, 0o604, 0o620]) {
      await expect(list(SMITH, mode)).rejects.toThrow(
        `has a database password, and other users can read it (mode ${mode.toString(8)})`,
      );
    }
    expect(await list(SMITH, 0o400)).toHaveLength(2);
    expect(await list(SMITH.replace(':hunter2', ''), 0o644)).toHaveLength(2);
    const open = write('sites: {a: {root: /a}}', 0o644);
    const closed = write(SMITH);
    expect(await listSites({}, {...SURROUNDINGS, siteFiles: [closed, open]})).toHaveLength(3);
  });

  it('are found by name; an unknown one lists the known', async () => {
    const file = write(SMITH);
    const find = (name: string) =>
      findNamedSite({site: {value: name, origin: '--site'}, ...config(file)}, SURROUNDINGS);
    expect(await find('jones')).toMatchObject({name: 'jones'});
    await expect(find('smyth')).rejects.toMatchObject({
      message: 'Unknown site "smyth" (--site).',
      hint: 'Known sites: smith, jones.',
    });
  });

  it('are not read without --site; a missing file that was given is refused, with a site or without', async () => {
    const broken = {...SURROUNDINGS, siteFiles: ['/proc/self/mem']};
    expect(await findNamedSite({}, broken)).toBeUndefined();
    for (const read of [findNamedSite, listSites]) {
      await expect(read(config('/no/such/file'), SURROUNDINGS)).rejects.toThrow(
        'The configuration file /no/such/file (--config) cannot be read: it does not exist.',
      );
    }
  });
});
