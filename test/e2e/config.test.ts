import {chmodSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {fewAtATime} from '../support/few-at-a-time.ts';
import {ATOM_PASSWORD, type AtomSite, createScratch, createSite, runAtomctl} from '../support/sandbox.ts';

const PREFIX = '0123456789abcdef'.repeat(2);

let site: AtomSite;
let other: AtomSite;
let scratch: string;
/** An option file with a user and password of its own. */
let optionFile: string;
/** atomctl's own configuration file, with the site `second` in it. */
let siteFile: string;

beforeAll(async () => {
  [site, other] = await Promise.all([
    createSite({gearman: ['queue.test:4731', '127.0.0.1:9']}),
    createSite({name: 'second', timezone: 'Europe/Berlin', workersKey: 'k'}),
  ]);
  scratch = createScratch('config');
  optionFile = join(scratch, 'client.cnf');
  writeFileSync(
    optionFile,
    '[client]\nuser=from_file\npassword="file-secret"\n[atomctl]\nhost=db.test\nport=3307\n',
  );
  siteFile = join(scratch, 'atomctl.yml');
  writeFileSync(
    siteFile,
    `sites:\n  second:\n    root: ${other.root}\n    gearman: [named.test]\n    timezone: Asia/Tokyo\n`,
  );
});

afterAll(() => Promise.all([site?.drop(), other?.drop()]));

interface Run {
  args?: string[];
  env?: Record<string, string>;
}

async function config({args = [], env = {}}: Run) {
  const {stdout, stderr, code} = await runAtomctl(['config', '--json', ...args], {env});
  expect(stdout).not.toMatch(new RegExp(`${ATOM_PASSWORD}|[a-z]+-secret`));
  expect(stderr).toBe('');
  return {code, ...JSON.parse(stdout)};
}

test('the JSON has each value with its origin, secrets masked', async () => {
  const {code, ...document} = await config({env: site.env});
  expect(code).toBe(0);
  const {port, user, database} = site.config;
  expect(document).toEqual({
    root: {value: site.root, origin: 'ATOMCTL_ROOT'},
    database: {
      value: {
        host: '127.0.0.1',
        port,
        socketPath: null,
        user,
        password: '***',
        database,
        tls: {mode: 'off', caFile: null},
      },
      origin: join(site.root, 'config/config.php'),
    },
    gearmanServers: {
      value: ['queue.test:4731', '127.0.0.1:9'],
      origin: join(site.root, 'apps/qubit/config/gearman.yml'),
    },
    functionPrefix: {value: site.prefix, origin: site.root},
    timezone: {value: 'America/Los_Angeles', origin: join(site.root, 'apps/qubit/config/settings.yml')},
    workerTypes: {
      value: {general: expect.arrayContaining(['arFindingAidJob', 'arFileImportJob'])},
      origin: join(site.root, 'apps/qubit/config/gearman.yml'),
    },
  });
});

test('the text has the same values, one per line, and no password', async () => {
  const {stdout, stderr, code} = await runAtomctl(['config'], {env: site.env});
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(
    new RegExp(`^database +mysql://atom:\\*\\*\\*@127.0.0.1:\\d+/${site.databaseName} +\\S+config.php$`, 'm'),
  );
  expect(stdout).toMatch(/^gearman +queue\.test:4731, 127\.0\.0\.1:9 +\S+gearman\.yml$/m);
  expect(stdout).toMatch(/^timezone +America\/Los_Angeles +\S+settings\.yml$/m);
  expect(stdout).not.toContain(ATOM_PASSWORD);
});

test('each flag beats its variable, which beats the container, which beats a named site and the files', async () => {
  const variables = {
    ATOMCTL_ROOT: site.root,
    ATOMCTL_DATABASE_URL: 'mysql://from_env:env-secret@env.test/env_db',
    ATOMCTL_GEARMAN: 'env.test, [::1]:4732',
    ATOMCTL_FUNCTION_PREFIX: PREFIX,
    ATOMCTL_TIMEZONE: 'UTC',
  };
  const container = {
    ATOM_MYSQL_DSN: 'mysql:dbname=dsn_db;port=3308;host=dsn.test',
    ATOM_MYSQL_USERNAME: 'from_dsn',
    ATOM_MYSQL_PASSWORD: 'dsn-secret',
    ATOM_GEARMAND_HOST: 'container.test',
  };
  const named = {ATOMCTL_SITE: 'second', ATOMCTL_CONFIG: siteFile};
  const flags = [
    ...['--atom-root', other.root, '--database-url', 'mysql://from_flag:flag-secret@flag.test/flag_db'],
    ...['--gearman', 'one.test,two.test:4733', '--gearman', 'three.test'],
    ...['--function-prefix', `${PREFIX}-`, '--timezone', 'Europe/Paris'],
  ];
  const inFiles = {ATOMCTL_ROOT: site.root};
  const [byFlag, byVariable, byFile, byContainer, bySite, siteByFlag, empty] = await fewAtATime<
    Run,
    Awaited<ReturnType<typeof config>>
  >(
    [
      {args: flags, env: {...variables, ...container, ...named}},
      {env: {...variables, ...container, ...named}},
      {env: {...inFiles, ...container, ATOMCTL_DEFAULTS_FILE: optionFile}},
      {env: {...inFiles, ...container}},
      {env: named},
      {args: ['--site', 'second', '--config', siteFile], env: {ATOMCTL_SITE: 'first'}},
      {env: {...Object.fromEntries(Object.keys(variables).map((name) => [name, ''])), ...inFiles}},
    ],
    config,
  );

  expect(byFlag).toMatchObject({
    root: {value: other.root, origin: '--atom-root'},
    database: {value: {user: 'from_flag', host: 'flag.test', port: 3306}, origin: '--database-url'},
    gearmanServers: {value: ['one.test:4730', 'two.test:4733', 'three.test:4730'], origin: '--gearman'},
    functionPrefix: {value: PREFIX, origin: '--function-prefix'},
    timezone: {value: 'Europe/Paris', origin: '--timezone'},
  });
  expect(byVariable).toMatchObject({
    root: {value: site.root, origin: 'ATOMCTL_ROOT'},
    database: {value: {user: 'from_env', database: 'env_db'}, origin: 'ATOMCTL_DATABASE_URL'},
    gearmanServers: {value: ['env.test:4730', '[::1]:4732'], origin: 'ATOMCTL_GEARMAN'},
    functionPrefix: {value: PREFIX, origin: 'ATOMCTL_FUNCTION_PREFIX'},
    timezone: {value: 'UTC', origin: 'ATOMCTL_TIMEZONE'},
  });
  expect(byFile).toMatchObject({
    database: {
      value: {user: 'from_file', host: 'db.test', port: 3307, database: 'dsn_db'},
      origin: `ATOMCTL_DEFAULTS_FILE ${optionFile}, ATOM_MYSQL_DSN, ATOM_MYSQL_USERNAME, ATOM_MYSQL_PASSWORD`,
    },
    gearmanServers: {value: ['container.test:4730'], origin: 'ATOM_GEARMAND_HOST'},
  });
  expect(byContainer).toMatchObject({
    database: {value: {user: 'from_dsn', host: 'dsn.test', port: 3308, database: 'dsn_db'}},
  });
  const fromSite = {
    root: {value: other.root, origin: `${siteFile}:3`},
    timezone: {value: 'Asia/Tokyo', origin: `${siteFile}:5`},
  };
  expect(bySite).toMatchObject({
    ...fromSite,
    database: {value: {database: other.databaseName}, origin: join(other.root, 'config/config.php')},
    gearmanServers: {value: ['named.test:4730'], origin: `${siteFile}:4`},
    functionPrefix: {value: other.prefix},
  });
  expect(siteByFlag).toMatchObject({...fromSite, gearmanServers: {value: ['named.test:4730']}});
  // An empty variable counts as not set, but an empty prefix is one.
  expect(empty).toMatchObject({
    database: {value: {database: site.databaseName}},
    functionPrefix: {value: '', origin: 'ATOMCTL_FUNCTION_PREFIX'},
    timezone: {value: 'America/Los_Angeles'},
  });
});

test('the installation is found from the working directory and its parents, also through links', async () => {
  const link = join(scratch, 'current');
  symlinkSync(other.root, link);
  const inside = join(link, 'apps/qubit/config');
  const {stdout} = await runAtomctl(['config', '--json'], {cwd: inside});
  expect(JSON.parse(stdout)).toMatchObject({
    root: {value: other.root},
    functionPrefix: {value: other.prefix},
    timezone: {value: 'Europe/Berlin'},
  });
});

describe('a wrong value is a usage error that names it and its origin, and is not skipped', () => {
  test.each<[string, string[], Record<string, string>, RegExp]>([
    ['a zone', ['--timezone', 'Mars/Olympus'], {}, /"Mars\/Olympus" \(--timezone\)/],
    ['a zone in a variable', [], {ATOMCTL_TIMEZONE: '+01:00'}, /"\+01:00" \(ATOMCTL_TIMEZONE\)/],
    ['a URL', ['--database-url', 'http://u:url-secret@h/d'], {}, /database URL \(--database-url\)/],
    [
      'a URL in a variable',
      [],
      {ATOMCTL_DATABASE_URL: 'mysql://u:url-secret@h'},
      /\(ATOMCTL_DATABASE_URL\) has no database name/,
    ],
    [
      'a URL typed as something else',
      ['mysql://u:url-secret@h/d'],
      {},
      /Unexpected argument: mysql:\/\/u:\*\*\*@h\/d/,
    ],
    ['an option file', ['--defaults-file', '/nowhere/my.cnf'], {}, /\/nowhere\/my\.cnf \(--defaults-file\)/],
    ['a root', [], {ATOMCTL_ROOT: '/nowhere'}, /\/nowhere \(ATOMCTL_ROOT\)/],
    ['a server', ['--gearman', '127.0.0.1:99999'], {}, /"127\.0\.0\.1:99999" \(--gearman\)/],
    ['a server of the container', [], {ATOM_GEARMAND_HOST: 'a b'}, /"a b" \(ATOM_GEARMAND_HOST\)/],
    ['a DSN', [], {ATOM_MYSQL_DSN: 'pgsql:host=x'}, /\(ATOM_MYSQL_DSN\)/],
    ['a prefix', ['--function-prefix', 'short'], {}, /"short" \(--function-prefix\)/],
    ['a site', ['--site', 'third'], {ATOMCTL_ROOT: ''}, /"third" \(--site\)/],
    ['a configuration file', ['--config', '/nowhere/c.yml'], {}, /\/nowhere\/c\.yml \(--config\)/],
    ['a timeout', ['--timeout', '0'], {}, /"0" \(--timeout\)/],
    ['a timeout in a variable', [], {ATOMCTL_TIMEOUT: 'soon'}, /"soon" \(ATOMCTL_TIMEOUT\)/],
  ])('%s', async (_, args, env, message) => {
    const {code, error} = await config({args, env: {...site.env, ...env}});
    expect([code, error.code]).toEqual([2, 'USAGE']);
    expect(error.message).toMatch(message);
  });

  test('a configuration file with a password that others may read', async () => {
    const open = join(scratch, 'open.yml');
    writeFileSync(open, 'sites:\n  s:\n    database: mysql://u:file-secret@h/d\n');
    chmodSync(open, 0o644);
    const refused = await config({args: ['--site', 's', '--config', open]});
    chmodSync(open, 0o600);
    const taken = await config({args: ['--site', 's', '--config', open]});
    expect([refused.code, refused.error.hint]).toEqual([2, `Run: chmod 600 ${open}`]);
    expect([taken.code, taken.database.value.password]).toEqual([0, '***']);
  });

  test('a directory that is not an installation', async () => {
    const empty = join(scratch, 'empty');
    mkdirSync(empty);
    const {code, stdout, stderr} = await runAtomctl(['jobs:list', '--atom-root', empty]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${empty} (--atom-root)`);
  });
});
