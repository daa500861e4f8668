import {createHash} from 'node:crypto';
import {chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {resolveSite} from '../../../src/atom/resolve-site.ts';
import type {SiteOptions, SiteSurroundings} from '../../../src/atom/site.ts';
import {AtomctlError} from '../../../src/errors.ts';
import {revealed} from '../../support/revealed.ts';
import {createScratch} from '../../support/scratch.ts';
import {configPhp, createRoot, writeFiles} from '../../support/site/atom-files.ts';

const CONFIG_PHP = configPhp({
  dsn: 'mysql:host=db;port=3307;dbname=atom',
  username: 'atom',
  password: 'filed',
});
const FILES = {
  'config/config.php': CONFIG_PHP,
  'config/gearman.yml':
    'all:\n  servers: {default: 127.0.0.1:4730}\n  worker_types: {general: [arFindingAidJob, arFileImportJob], sword: [qtSwordPluginWorker]}\n',
  'config/app.yml': 'all:\n  workers_key:\n',
  'apps/qubit/config/settings.yml': 'all:\n  .settings:\n    default_timezone: Europe/Paris\n',
};
const NOWHERE = createScratch('nowhere');

/** The setting of a flag or a variable; the origin shows which. */
const set = <T>(value: T, origin: string) => ({value, origin});
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

type Hooks = Pick<SiteSurroundings, 'connect' | 'observePrefixes'>;

function site(options: SiteOptions, env: Record<string, string> = {}, cwd = NOWHERE, hooks: Hooks = {}) {
  const callerUid = process.geteuid!();
  return resolveSite(options, {env, cwd, callerUid, usualPlaces: [], siteFiles: [], ...hooks});
}

function at(root: string, options: SiteOptions = {}, env: Record<string, string> = {}, hooks: Hooks = {}) {
  return site({atomRoot: set(root, '--atom-root'), ...options}, env, NOWHERE, hooks);
}

function writeFile(name: string, text: string): string {
  const file = join(createScratch('file'), name);
  writeFileSync(file, text);
  chmodSync(file, 0o600);
  return file;
}

/** A configuration file of atomctl with one site, `smith`, and the options that choose it. */
function named(yaml: string) {
  const file = writeFile('config.yml', `sites:\n  smith:\n${yaml}`);
  return {file, options: {site: set('smith', '--site'), config: set(file, '--config')}};
}

describe('a site that is not found', () => {
  const surroundings = {env: {}, cwd: NOWHERE, callerUid: process.geteuid!()};

  it('is told with the places where it was looked for, and the sites that are configured', async () => {
    const config = writeFile(
      'config.yml',
      'sites:\n  north:\n    root: /srv/north\n  south:\n    root: /srv/south\n',
    );
    const usualPlaces = ['/no/such/atom', '/no/such/*/src'];
    const lost = resolveSite({}, {...surroundings, usualPlaces, siteFiles: [config]});
    const hint = `Looked in ${NOWHERE} and the directories above it, /no/such/atom, /no/such/*/src. Configured sites: north, south. Choose one with --site NAME. Give `;
    await expect(lost.database()).rejects.toMatchObject({
      code: 'NO_SITE',
      hint: expect.stringContaining(hint),
    });
    await expect(lost.requireRoot()).rejects.toMatchObject({
      message: 'No AtoM installation was found.',
      hint: `${hint}--atom-root DIR.`,
    });
  });

  it('is not looked for beside a named site, nor in a configuration file that is wrong', async () => {
    const {options} = named('    gearman: 127.0.0.1\n');
    await expect(site(options).requireRoot()).rejects.toMatchObject({
      hint: expect.stringMatching(
        /^The site "smith" does not name one at \S+config\.yml:2\. Give --atom-root DIR\.$/,
      ),
    });
    const siteFiles = [writeFile('config.yml', 'nonsense')];
    await expect(
      resolveSite({}, {...surroundings, usualPlaces: [], siteFiles}).requireRoot(),
    ).rejects.toMatchObject({
      hint: `Looked in ${NOWHERE} and the directories above it. Give --atom-root DIR.`,
    });
    const top = resolveSite({}, {...surroundings, cwd: '/', usualPlaces: []});
    await expect(top.requireRoot()).rejects.toMatchObject({hint: 'Looked in /. Give --atom-root DIR.'});
  });
});

describe('the database', () => {
  it("comes from AtoM's files", async () => {
    const root = createRoot(FILES);
    const {value, origin} = await at(root).database();
    expect({value: revealed(value), origin}).toEqual({
      value: {
        host: 'db',
        port: 3307,
        socketPath: null,
        user: 'atom',
        password: 'filed',
        database: 'atom',
        tls: {mode: 'off', caFile: null},
      },
      origin: `${root}/config/config.php`,
    });
  });

  const url = (host: string, origin: string) => set(`mysql://u:p@${host}/d`, origin);
  const cnf = (host: string, origin: string) =>
    set(writeFile('my.cnf', `[client]\nhost=${host}\nuser=c\npassword=c\ndatabase=c\n`), origin);

  it.each([
    [
      'a flag over everything',
      {databaseUrl: url('flag', '--database-url'), defaultsFile: cnf('cnf', 'ATOMCTL_DEFAULTS_FILE')},
      'flag',
      '--database-url',
    ],
    [
      'the URL over the option file beside it',
      {databaseUrl: url('url', '--database-url'), defaultsFile: cnf('cnf', '--defaults-file')},
      'url',
      '--database-url',
    ],
    [
      "an option file's flag over the environment's URL",
      {databaseUrl: url('url', 'ATOMCTL_DATABASE_URL'), defaultsFile: cnf('cnf', '--defaults-file')},
      'cnf',
      /^--defaults-file \/.*my\.cnf$/,
    ],
    [
      "atomctl's environment over the container's",
      {databaseUrl: url('url', 'ATOMCTL_DATABASE_URL')},
      'url',
      'ATOMCTL_DATABASE_URL',
    ],
    [
      "the container's environment over the named site",
      {},
      'container',
      'ATOM_MYSQL_DSN, ATOM_MYSQL_USERNAME, ATOM_MYSQL_PASSWORD',
    ],
  ])('%s', async (_, options, host, origin) => {
    const env = {
      ATOM_MYSQL_DSN: 'mysql:host=container;dbname=atom',
      ATOM_MYSQL_USERNAME: 'u',
      ATOM_MYSQL_PASSWORD: 'p',
    };
    const choice = named('    database: mysql://named@named/d\n').options;
    const found = await at(createRoot(FILES), {...choice, ...options}, env).database();
    expect(found.value.host).toBe(host);
    expect(found.origin).toMatch(origin);
  });

  it("the named site over AtoM's files, its URL over its option file", async () => {
    const root = createRoot(FILES);
    const file = writeFile('my.cnf', '[client]\nuser=c\npassword=c\n');
    const both = named(`    root: ${root}\n    database: mysql://named@named/d\n    defaultsFile: ${file}\n`);
    expect(await site(both.options).database()).toMatchObject({
      value: {host: 'named', user: 'named'},
      origin: `${both.file}:4`,
    });
    const one = named(`    root: ${root}\n    defaultsFile: ${file}\n`);
    const {value, origin} = await site(one.options).database();
    expect({value: revealed(value), origin}).toMatchObject({
      value: {host: 'db', port: 3307, user: 'c', password: 'c', database: 'atom'},
      origin: `${one.file}:4 ${file}, ${root}/config/config.php`,
    });
  });

  it.each([
    ['user and password together', '[client]\nuser=c\n', {user: 'c', password: ''}],
    ['a password for the user below', '[client]\npassword=c\n', {user: 'atom', password: 'c'}],
    ['a place with its own port', '[client]\nhost=h\n', {host: 'h', port: 3306, database: 'atom'}],
    ['a port for the place below', '[client]\nport=1\n', {host: 'db', port: 1}],
    [
      'a socket for the host',
      '[client]\nsocket=/s\n',
      {host: null, socketPath: '/s', user: 'atom', password: 'filed'},
    ],
    ['another database', '[client]\ndatabase=other\n', {host: 'db', database: 'other', user: 'atom'}],
    ['TLS', '[client]\nssl-ca=/ca\n', {host: 'db', tls: {mode: 'verify-ca', caFile: '/ca'}}],
  ])('an option file fills what it has: %s', async (_, text, expected) => {
    const defaultsFile = set(writeFile('my.cnf', text), '--defaults-file');
    const {value} = await at(createRoot(FILES), {defaultsFile}).database();
    expect(revealed(value)).toMatchObject(expected);
  });

  it('reads no lower source than it needs', async () => {
    const root = createRoot({'config/config.php': '<?php return 1;'});
    const databaseUrl = set('mysql://u:p@h/d', '--database-url');
    expect((await at(root, {databaseUrl}).database()).value.host).toBe('h');
    await expect(at(root).database()).rejects.toThrow(/config\.php does not return an array/);
  });

  it('never skips a wrong value', async () => {
    const root = createRoot(FILES);
    const env = {ATOM_MYSQL_DSN: 'sqlite:hunter2'};
    await expect(at(root, {}, env).database()).rejects.toThrow(/\(ATOM_MYSQL_DSN\) does not begin/);
    await expect(at(root, {databaseUrl: set('nonsense', 'ATOMCTL_DATABASE_URL')}).database()).rejects.toThrow(
      /ATOMCTL_DATABASE_URL/,
    );
    await expect(at(root, {defaultsFile: set('/no/such', '--defaults-file')}).database()).rejects.toThrow(
      /\/no\/such \(--defaults-file\)/,
    );
    await expect(at('/no/such').database()).rejects.toThrow(/--atom-root/);
    await expect(at(root, {site: set('x', 'ATOMCTL_SITE')}).database()).rejects.toThrow(
      /Unknown site "x" \(ATOMCTL_SITE\)/,
    );
  });

  it('is required if nothing or not enough is given', async () => {
    await expect(site({}).database()).rejects.toMatchObject({
      code: 'NO_SITE',
      hint: expect.stringContaining('--database-url'),
    });
    const root = createRoot();
    await expect(at(root).database()).rejects.toMatchObject({
      code: 'NO_SITE',
      message: `${root}/config/config.php does not exist, and no database was given.`,
    });
    await expect(site({}, {ATOM_MYSQL_USERNAME: 'u'}).database()).rejects.toThrow(
      'The configuration (ATOM_MYSQL_USERNAME) has no database server.',
    );
    await expect(site({}, {ATOM_MYSQL_DSN: 'mysql:host=h;dbname=d'}).database()).rejects.toThrow(
      'The configuration (ATOM_MYSQL_DSN) has no database user.',
    );
  });
});

describe('the Gearman servers', () => {
  const root = createRoot(FILES);
  const server = async (options: SiteOptions, env = {}) => {
    const {value, origin} = await at(root, options, env).gearmanServers();
    return `${value.map(({host, port}) => `${host} ${port}`).join(', ')} from ${origin}`;
  };

  it('are one if two names of this host have one port', async () => {
    const yaml =
      'all:\n  servers: {one: "127.0.0.1:4731", two: "localhost:4731", three: "localhost:4732", four: "127.0.0.2:4731"}\n';
    const root = createRoot({...FILES, 'config/gearman.yml': yaml});
    expect((await at(root).gearmanServers()).value).toEqual([
      {host: '127.0.0.1', port: 4731},
      {host: 'localhost', port: 4732},
      // A server of its own may listen on each address.
      {host: '127.0.0.2', port: 4731},
    ]);
  });

  it("may not be the site's own if they were guessed, or the root is of another database", async () => {
    expect(await site({}).serversDoubt()).toMatch(
      /^The Gearman servers of the site are not known: atomctl asked 127\.0\.0\.1:4730/,
    );
    const root = createRoot(FILES);
    expect(await at(root).serversDoubt()).toBeNull();
    const databaseUrl = set('mysql://u:p@db:3307/other', '--database-url');
    expect(await at(root, {databaseUrl}).serversDoubt()).toMatch(/names another database/);
    const gearman = set(['g:4730'], '--gearman');
    expect(await at(root, {databaseUrl, gearman}).serversDoubt()).toBeNull();
    expect(await site({databaseUrl, gearman}).serversDoubt()).toBeNull();
  });

  it('come from the highest source', async () => {
    const choice = named('    gearman: [named, "[::1]:1"]\n');
    const env = {ATOM_GEARMAND_HOST: 'container'};
    const gearman = set(['a:1,b', 'a:1'], '--gearman');
    expect(await server({...choice.options, gearman}, env)).toBe('a 1, b 4730 from --gearman');
    expect(await server(choice.options, env)).toBe('container 4730 from ATOM_GEARMAND_HOST');
    expect(await server(choice.options)).toBe(`named 4730, ::1 1 from ${choice.file}:3`);
    expect(await server({})).toBe(`127.0.0.1 4730 from ${root}/config/gearman.yml`);
    expect(await site({}).gearmanServers()).toEqual({
      value: [{host: '127.0.0.1', port: 4730}],
      origin: 'default',
    });
  });

  it("are the web's, or the worker's if the web has none", async () => {
    const both = createRoot({
      'config/gearman.yml': 'prod: {servers: {a: p:1, b: q:2}}\nworker: {servers: {a: w:1}}\n',
    });
    expect((await at(both).gearmanServers()).value).toEqual([
      {host: 'p', port: 1},
      {host: 'q', port: 2},
    ]);
    const worker = createRoot({'config/gearman.yml': 'worker: {servers: {a: w:1}}\n'});
    expect((await at(worker).gearmanServers()).value).toEqual([{host: 'w', port: 1}]);
  });

  it.each([
    ['all: {servers: {a: "x y"}}', /"x y" \(.*gearman\.yml\) is not a valid Gearman server address/],
    ['all: {servers: 127.0.0.1}', /gearman\.yml has "127\.0\.0\.1", but it must be a list/],
    ['all: {servers: {}}', /\(.*gearman\.yml\) is empty/],
  ])('refuses %s', async (yaml, reason) => {
    await expect(at(createRoot({'config/gearman.yml': yaml})).gearmanServers()).rejects.toThrow(reason);
  });

  it('refuses an empty list', async () => {
    await expect(server({gearman: set([','], '--gearman')})).rejects.toThrow(/\(--gearman\) is empty/);
  });
});

describe('the function prefix', () => {
  it.each([
    ['all:\n  workers_key:\n', ''],
    ['all:\n  workers_key: secret\n', 'secret'],
    ['all:\n  workers_key: 42\n', '42'],
    ['all:\n  workers_key: true\n', '1'],
    ['all:\n  workers_key: 1.0\n', '1'],
    ['prod:\n  workers_key: web\nworker:\n  workers_key: work\n', 'web'],
    ['dev:\n  workers_key: dev\n', ''],
  ])('is the md5 of root and key: %j', async (yaml, key) => {
    const root = createRoot({'config/app.yml': yaml});
    const {value, origin} = await at(root).functionPrefix();
    expect(value).toBe(md5(root + key));
    expect(origin).toBe(key === '' ? root : `${root} and workers_key in ${root}/config/app.yml`);
  });

  it('takes the resolved root', async () => {
    const root = createRoot();
    const link = join(createScratch('link'), 'current');
    symlinkSync(root, link);
    expect((await at(`${link}/`).functionPrefix()).value).toBe(md5(root));
  });

  it('is not taken from a root that names another database than the one that was given', async () => {
    const root = createRoot({...FILES, 'config/app.yml': 'worker:\n  workers_key: secret\n'});
    const databaseUrl = set('mysql://u:p@db:3307/other', '--database-url');
    const other = at(root, {databaseUrl});
    expect(await other.functionPrefix()).toEqual({value: null, origin: `${root} names another database`});
    expect(await other.otherPrefixes()).toEqual([]);
    const functionPrefix = set('0123456789abcdef0123456789abcdef', '--function-prefix');
    expect((await at(root, {databaseUrl, functionPrefix}).functionPrefix()).value).toBe(functionPrefix.value);
  });

  const versioned = (text: string, constant = `const VERSION = '${text}';`) =>
    createRoot({'apps/qubit/config/qubitConfiguration.class.php': `<?php class q { ${constant} }`});
  /** A database whose settings are these, in the order of their ids. */
  const settings = (rows: {name: string; value: string | null}[]) => {
    const asked: unknown[] = [];
    const connect = async () => ({
      query: async <T>(_: string, values: unknown) => {
        asked.push(values);
        return rows as T[];
      },
      execute: async () => 0,
    });
    return {connect, asked};
  };

  it('rests on root and key since AtoM 2.5.2, without asking the database', async () => {
    const {connect, asked} = settings([]);
    for (const version of ['2.5.2', '2.6.0', '2.10.0', '3.0.0']) {
      const root = versioned(version);
      expect((await at(root, {}, {}, {connect}).functionPrefix()).value).toBe(md5(root));
    }
    expect(asked).toEqual([]);
  });

  it.each(['2.3.0', '2.4.1', '2.5.1'])('is made from title, address and root in AtoM %s', async (version) => {
    const {connect, asked} = settings([
      {name: 'siteBaseUrl', value: 'https://archives.example.org'},
      {name: 'siteTitle', value: 'Example Archives'},
    ]);
    const root = versioned(version, `const\n // Required format: x.y.z\n VERSION = '${version}';`);
    const asSite = at(root, {}, {}, {connect});
    const {value, origin} = await asSite.functionPrefix();
    expect(value).toBe(md5(`Example Archiveshttps://archives.example.org${root}`));
    expect(origin).toContain(`AtoM ${version}`);
    expect(await asSite.otherPrefixes()).toEqual([]);
    await asSite.functionPrefix();
    expect(asked).toHaveLength(1);
    // A site that never set them has empty ones.
    const bare = at(root, {}, {}, {connect: settings([{name: 'siteTitle', value: null}]).connect});
    expect((await bare.functionPrefix()).value).toBe(md5(root));
  });

  it('is not known in AtoM 2.4 while the database does not answer, and known as soon as it does', async () => {
    const root = versioned('2.4.1');
    let up = false;
    const connect = async () => {
      if (!up) throw new AtomctlError('DATABASE_UNREACHABLE', 'The database does not answer.');
      return settings([{name: 'siteTitle', value: 'T'}]).connect();
    };
    const asSite = at(root, {}, {}, {connect});
    expect(await asSite.functionPrefix()).toMatchObject({
      value: null,
      origin: expect.stringContaining('The database does not answer.'),
    });
    up = true;
    expect((await asSite.functionPrefix()).value).toBe(md5(`T${root}`));
    expect((await at(root).functionPrefix()).value).toBeNull();
  });

  it('is empty before AtoM 2.3', async () => {
    expect((await at(versioned('2.2.1')).functionPrefix()).value).toBe('');
  });

  it.each([
    ['a line comment', "const\n // Required format: x.y.z\n VERSION = '2.2.1';"],
    ['a comment of several lines', "public const /* one\n two */ # three\n VERSION='2.2.1';"],
    ['double quotes', 'const VERSION = "2.2.1";'],
  ])('reads the version behind %s', async (_, constant) => {
    expect((await at(versioned('2.2.1', constant)).functionPrefix()).value).toBe('');
  });

  it('is the only one that the servers show, if auto is given', async () => {
    const auto = (...observed: string[]) =>
      site({functionPrefix: set('auto', '--function-prefix')}, {}, NOWHERE, {
        observePrefixes: async () => observed,
      }).functionPrefix();
    expect(await auto(md5('a'))).toEqual({value: md5('a'), origin: '--function-prefix auto'});
    expect((await auto('')).value).toBe('');
    await expect(auto()).rejects.toThrow(/has a function of AtoM, so auto \(--function-prefix\) finds no/);
    await expect(auto(md5('a'), '')).rejects.toThrow(
      `cannot choose: ${md5('a')}, functions without a prefix.`,
    );
  });

  it("is the container image's without a root, if the servers show it; any other one is named", async () => {
    const bare = (...observed: string[]) =>
      site({}, {}, NOWHERE, {observePrefixes: async () => observed}).functionPrefix();
    expect((await bare(md5('x'), md5('/atom/src'))).value).toBe(md5('/atom/src'));
    expect(await bare(md5('x'))).toEqual({
      value: null,
      origin: `not found; the servers show only ${md5('x')}; --function-prefix auto uses it`,
    });
    expect(await bare(md5('x'), md5('y'))).toEqual({
      value: null,
      origin: `not found; the servers show ${md5('x')}, ${md5('y')}`,
    });
    expect(await bare()).toEqual({value: null, origin: 'not found'});
  });

  it('may be given, also with its dash, and is null if it cannot be determined', async () => {
    const prefix = md5('x');
    const given = (value: string) => site({functionPrefix: set(value, '--function-prefix')}).functionPrefix();
    expect(await given(prefix)).toEqual({value: prefix, origin: '--function-prefix'});
    expect(await given(`${prefix}-`)).toMatchObject({value: prefix});
    expect(await given('')).toMatchObject({value: ''});
    expect((await site(named(`    functionPrefix: ${prefix}\n`).options).functionPrefix()).value).toBe(
      prefix,
    );
    expect((await site({}).functionPrefix()).value).toBeNull();
    await expect(given('abc')).rejects.toThrow('"abc" (--function-prefix) is not a valid function prefix');
  });
});

describe('the timezone', () => {
  it('comes from the highest source', async () => {
    const root = createRoot(FILES);
    const choice = named('    timezone: Asia/Kolkata\n');
    expect(await at(root, {...choice.options, timezone: set('UTC', 'ATOMCTL_TIMEZONE')}).timezone()).toEqual({
      value: 'UTC',
      origin: 'ATOMCTL_TIMEZONE',
    });
    expect(await at(root, choice.options).timezone()).toEqual({
      value: 'Asia/Kolkata',
      origin: `${choice.file}:3`,
    });
    expect(await at(root).timezone()).toEqual({
      value: 'Europe/Paris',
      origin: `${root}/apps/qubit/config/settings.yml`,
    });
    expect(await at(createRoot()).timezone()).toEqual({value: 'UTC', origin: 'default'});
    expect(await site({}).timezone()).toEqual({value: 'America/Vancouver', origin: 'default'});
  });

  it.each(['Mars/Olympus', '+01:00', '', 'PSTX'])('refuses %j, naming its origin', async (zone) => {
    await expect(site({timezone: set(zone, '--timezone')}).timezone()).rejects.toMatchObject({
      code: 'USAGE',
      message: `"${zone}" (--timezone) is not a known timezone.`,
    });
    const root = createRoot({
      'config/settings.yml': `all:\n  .settings:\n    default_timezone: '${zone || 'x y'}'\n`,
    });
    await expect(at(root).timezone()).rejects.toThrow(/config\/settings\.yml\) is not a known timezone/);
  });
});

describe('the rest', () => {
  it("worker types are the worker's", async () => {
    const root = createRoot(FILES);
    expect(await at(root).workerTypes()).toEqual({
      value: {general: ['arFindingAidJob', 'arFileImportJob'], sword: ['qtSwordPluginWorker']},
      origin: `${root}/config/gearman.yml`,
    });
    writeFiles(root, {
      'apps/qubit/config/gearman.yml': 'worker: {worker_types: {general: [arObjectMoveJob]}}\n',
    });
    expect((await at(root).workerTypes()).value.general).toEqual(['arObjectMoveJob', 'arFileImportJob']);
    expect((await site({}).workerTypes()).value).toEqual({});
  });

  it('downloads are named as they are, also a link, and null if there are none', async () => {
    const root = createRoot();
    expect(await at(root).downloads()).toBeNull();
    const elsewhere = createScratch('downloads');
    symlinkSync(elsewhere, join(root, 'downloads'));
    expect(await at(root).downloads()).toBe(join(root, 'downloads'));
    rmSync(join(root, 'downloads'));
    mkdirSync(join(root, 'downloads'));
    expect(await at(root).downloads()).toBe(join(root, 'downloads'));
    expect(await site({}).downloads()).toBeNull();
  });

  it('a named site without a root has none, whatever the working directory is', async () => {
    const root = createRoot(FILES);
    const {file, options} = named('    gearman: g\n');
    expect(await site(options, {}, root).root()).toEqual({
      value: null,
      origin: `${file}:2 does not name one`,
    });
    expect((await site({}, {}, root).root()).value).toBe(root);
    expect((await site(named(`    root: ${root}\n`).options).root()).value).toBe(root);
  });

  it('reads everything once, and nothing before it is asked for', async () => {
    const root = createRoot(FILES);
    const once = at(root);
    renameSync(join(root, 'config/gearman.yml'), join(root, 'gearman.yml'));
    expect((await once.workerTypes()).value).toEqual({});
    renameSync(join(root, 'gearman.yml'), join(root, 'config/gearman.yml'));
    expect((await once.workerTypes()).value).toEqual({});
    expect((await at(root).workerTypes()).value).not.toEqual({});
  });
});
