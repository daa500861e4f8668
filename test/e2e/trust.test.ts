/** Files planted by other (real) users: their PHP must not run. If it does, it leaves a proof file. */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {installed} from '../support/installed.ts';
import {isRunning} from '../support/is-running.ts';
import {
  ATOMCTL,
  cleanEnvironment,
  commandLine,
  createScratch,
  runAtomctl,
  runOnTerminal,
  until,
} from '../support/sandbox.ts';

const WWW_DATA = 33;
const NOBODY = 65534;

/** Readable by every user; each test sets the owners of the files in it. */
let scratch: string;
/** Writable by every user, for the proof files. */
let proofs: string;
const children: ChildProcess[] = [];

beforeEach(({skip}) => {
  skip(process.geteuid!() !== 0, 'only root can run as other users');
  skip(!installed('php'), 'php is not installed');
  const readable = spawnSync(...commandLine(['--version']), {uid: WWW_DATA, gid: WWW_DATA});
  skip(readable.status !== 0, 'this clone, or Node.js, is not readable by other users');
  scratch = createScratch('trust');
  for (const directory of [dirname(scratch), scratch]) chmodSync(directory, 0o755);
  proofs = join(scratch, 'proofs');
  mkdirSync(proofs);
  chmodSync(proofs, 0o777);
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** PHP that leaves a proof file; it calls a function, so it cannot be read without PHP. */
const leaveProof = () => `file_put_contents('${proofs}/' . uniqid('ran-as-' . posix_getuid() . '-'), 'x');`;
const evil = () => `<?php ${leaveProof()} return [];`;

/** An AtoM root whose files all belong to one user. */
function createRoot(name: string, uid: number, files: Readonly<Record<string, string>>): string {
  const root = join(scratch, name);
  const all = {symfony: '', 'config/ProjectConfiguration.class.php': '', ...files};
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), {recursive: true});
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, 'cache'));
  for (const path of ['', ...readdirSync(root, {recursive: true, encoding: 'utf8'})])
    chownSync(join(root, path), uid, uid);
  return root;
}

const filesOf = (configPhp: string) => ({
  'config/config.php': configPhp,
  'apps/qubit/config/settings.yml': `<?php ${leaveProof()} ?>\nall:\n  .settings: {default_timezone: UTC}\n`,
});

const EVERY_KIND = [
  ['config'],
  ['jobs:list'],
  ['jobs:list', '--json'],
  ['doctor'],
  ['queue:status', '--timeout', '1'],
  ['worker:unit'],
  ['completion:answer', '--', 'jobs:kill', ''],
  ['completion:answer', '--', 'jobs:kill', '--run-php', ''],
];

describe('without --run-php nothing that others wrote runs (S1)', () => {
  const planted: [string, (configPhp: string) => void][] = [
    ['a link to the arguments of a process', (file) => linkTo(file, argumentsOfProcess())],
    [
      'a link to a log of root that others can write lines to',
      (file) => {
        const log = join(scratch, 'access.log');
        writeFileSync(log, `"GET /${evil()}" 404\n`);
        linkTo(file, log);
      },
    ],
    ['a file of its own', () => {}],
  ];

  test.for(planted)('config.php is %s', async ([, plant]) => {
    const root = createRoot('atom', WWW_DATA, filesOf(evil()));
    plant(join(root, 'config/config.php'));
    for (const uid of [0, WWW_DATA]) {
      for (const args of EVERY_KIND) {
        const {code, stdout, stderr} = await runAtomctl(args, {uid, env: {ATOMCTL_ROOT: root}});
        // A unit needs only the root's path, which is given; a completion without a site offers nothing.
        expect([args, code === 0]).toEqual([args, ['completion:answer', 'worker:unit'].includes(args[0]!)]);
        if (args[0] === 'completion:answer') expect([stdout, stderr]).toEqual(['words\n', '']);
      }
    }
    expect(readdirSync(proofs)).toEqual([]);
  });

  test('the message names the file, the construct with its line, and every alternative', async () => {
    const root = createRoot('atom', 0, {'config/config.php': `<?php\n\n${evil().slice(6)}`});
    const {code, stdout, stderr} = await runAtomctl(['jobs:list'], {env: {ATOMCTL_ROOT: root}});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^Error: \S+\/atom\/config\/config\.php cannot be read without PHP: a call of \w+\(\) on line 3\. .*--database-url .*--defaults-file.*--run-php.*\n$/,
    );
  });

  function linkTo(file: string, target: string): void {
    rmSync(file);
    symlinkSync(target, file);
  }

  function argumentsOfProcess(): string {
    const child = spawn('sleep', ['300'], {argv0: evil(), stdio: 'ignore'});
    children.push(child);
    return `/proc/${child.pid}/cmdline`;
  }
});

describe('a root that another user planted above the working directory (S2)', () => {
  const victims = [0, WWW_DATA];
  const STATIC =
    "<?php return ['all' => ['propel' => ['param' => ['dsn' => 'mysql:host=127.0.0.1;port=9;dbname=x', 'username' => 'x']]]];";

  test.for(victims)('is refused to uid %i, and completion says nothing', async (uid) => {
    const root = createRoot('planted', NOBODY, {
      'config/config.php': STATIC,
      'apps/qubit/config/settings.yml': 'all:\n  .settings: {default_timezone: UTC}\n',
    });
    const cwd = join(root, 'work/deep');
    mkdirSync(cwd, {recursive: true});
    const start = `Error: The AtoM installation ${root}, found from the working directory, is not trusted: ${root} belongs to nobody (uid 65534), `;
    for (const args of [['config'], ['jobs:list'], ['doctor'], ['worker:unit'], ['jobs:list', '--run-php']]) {
      const {code, stdout, stderr} = await runAtomctl(args, {uid, cwd});
      expect([args, code, stdout]).toEqual([args, 2, '']);
      expect(stderr).toContain(start);
      expect(stderr).toMatch(/^[^\n]*\. If you trust it, give --atom-root \S+\n$/);
    }
    const completion = await runAtomctl(['completion:answer', '--', 'jobs:kill', ''], {uid, cwd});
    expect(completion).toEqual({code: 0, stdout: 'words\n', stderr: ''});
    const named = await runAtomctl(['config', '--json', '--atom-root', root], {uid, cwd});
    expect(JSON.parse(named.stdout)).toMatchObject({
      root: {value: root},
      database: {value: {database: 'x'}},
    });
  });

  test.for(victims)('does not run for uid %i even with ATOMCTL_RUN_PHP', async (uid) => {
    const root = createRoot('planted', NOBODY, filesOf(evil()));
    for (const args of EVERY_KIND) {
      const {code} = await runAtomctl(args, {uid, cwd: root, env: {ATOMCTL_RUN_PHP: '1'}});
      expect([args, code]).toEqual([args, args[0] === 'completion:answer' ? 0 : 2]);
    }
    expect(readdirSync(proofs)).toEqual([]);
  });

  test('completion sends nothing to the database that a planted config.php names', async () => {
    const database = createServer((socket) => socket.end());
    let connections = 0;
    database.on('connection', () => {
      connections += 1;
    });
    await once(database.listen(0, '127.0.0.1'), 'listening');
    const {port} = database.address() as AddressInfo;
    const root = createRoot('planted', NOBODY, {
      'config/config.php': STATIC.replace('port=9', `port=${port}`),
    });
    const words = ['jobs:kill', ''];
    await runAtomctl(['completion:answer', '--', ...words], {uid: WWW_DATA, cwd: root});
    expect(connections).toBe(0);
    // If the same root is named, completion does connect.
    await runAtomctl(['completion:answer', '--', '--atom-root', root, ...words], {uid: WWW_DATA, cwd: root});
    expect(connections).toBeGreaterThan(0);
    database.close();
  });

  test('a shared directory of root with links to another one is refused too', async () => {
    const [shared, other] = ['shared', 'other'].map((name) => join(scratch, name)) as [string, string];
    for (const directory of [shared, other]) {
      mkdirSync(directory);
      chmodSync(directory, 0o1777);
    }
    for (const name of ['config.php', 'ProjectConfiguration.class.php'])
      writeFileSync(join(other, name), evil());
    writeFileSync(join(shared, 'symfony'), '');
    symlinkSync(other, join(shared, 'config'));
    const {code, stderr} = await runAtomctl(['jobs:list', '--run-php'], {uid: WWW_DATA, cwd: shared});
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${shared} is writable by everyone`)]);
    expect(readdirSync(proofs)).toEqual([]);
  });
});

describe('with --run-php', () => {
  test('completion still runs nothing', async () => {
    const root = createRoot('atom', WWW_DATA, filesOf(evil()));
    const env = {ATOMCTL_ROOT: root, ATOMCTL_RUN_PHP: '1'};
    const answer = await runAtomctl(['completion:answer', '--', 'jobs:kill', ''], {uid: WWW_DATA, env});
    expect([answer, readdirSync(proofs)]).toEqual([{code: 0, stdout: 'words\n', stderr: ''}, []]);
  });

  test('a link to the arguments of a process does not run as root (S1)', async () => {
    const root = createRoot('atom', 0, filesOf(''));
    rmSync(join(root, 'apps'), {recursive: true});
    rmSync(join(root, 'config/config.php'));
    const child = spawn('sleep', ['300'], {argv0: evil(), stdio: 'ignore'});
    children.push(child);
    symlinkSync(`/proc/${child.pid}/cmdline`, join(root, 'config/config.php'));
    const {code, stderr} = await runAtomctl(['jobs:list', '--run-php'], {env: {ATOMCTL_ROOT: root}});
    expect([code, stderr]).toEqual([2, expect.stringContaining('php must not run as root on it')]);
    expect(readdirSync(proofs)).toEqual([]);
  });

  const CONFIG = `<?php return ['all' => ['propel' => ['param' => ['dsn' => 'mysql:host=db;dbname=x', 'username' => implode(' ', [
    posix_getuid(), posix_getgid(), implode('+', posix_getgroups()),
    posix_getsid(0) === posix_getppid() ? 'own session' : 'shared session',
    @fopen('/dev/tty', 'r+') ? 'terminal' : 'no terminal',
    count(array_filter([STDIN, STDOUT, STDERR], 'posix_isatty')),
    getenv('SECRET') ?: 'no secret', getenv('ATOM_NAME') ?: 'no name'])]]]];`;
  const SEEN = '33 33 33 own session no terminal 0 no secret archive';

  test("root at a terminal: PHP is the owner, with the owner's groups, no terminal and a bare environment (S3)", async () => {
    const root = createRoot('atom', WWW_DATA, {'config/config.php': CONFIG});
    // The file's group is not one of www-data's, and root has more groups than root's own.
    chownSync(join(root, 'config/config.php'), WWW_DATA, 4);
    const env = {SECRET: 'hunter2', ATOM_NAME: 'archive'};
    const args = ['config', '--json', '--run-php', '--atom-root', root];
    const {code, screen} = await runOnTerminal(args, {env});
    expect([code, JSON.parse(screen).database.value.user]).toEqual([0, SEEN]);
    const command = ['--groups=0,4,24', '--', ...ATOMCTL, ...args];
    const {stdout} = spawnSync('setpriv', command, {env: cleanEnvironment(env), encoding: 'utf8'});
    expect(JSON.parse(stdout).database.value.user).toBe(SEEN);
  });

  test.for([
    ['1', true],
    ['true', true],
    ['YES', true],
    ['', false],
    ['0', false],
    ['false', false],
    ['no', false],
  ] as const)('ATOMCTL_RUN_PHP=%s', async ([value, runs]) => {
    const root = createRoot('atom', WWW_DATA, {'config/config.php': `<?php ${leaveProof()} return 1;`});
    const env = {ATOMCTL_ROOT: root, ATOMCTL_RUN_PHP: value};
    const {code, stderr} = await runAtomctl(['jobs:list'], {uid: WWW_DATA, env});
    const reason = runs ? 'does not return an array' : 'cannot be read without PHP';
    expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
    expect(readdirSync(proofs).length > 0).toBe(runs);
  });

  test('any other value is a usage error that names it; the flag decides before the variable', async () => {
    const root = createRoot('atom', WWW_DATA, {'config/config.php': CONFIG});
    const env = {ATOMCTL_ROOT: root, ATOMCTL_RUN_PHP: 'on'};
    const {code, stdout, stderr} = await runAtomctl(['config'], {env});
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('"on" (ATOMCTL_RUN_PHP)')]);
    expect((await runAtomctl(['config', '--run-php'], {env})).code).toBe(0);
  });

  test('what root has open besides does not reach PHP of another user (S3)', () => {
    const seen = 'array_map(fn($name) => @readlink("/proc/self/fd/$name"), scandir("/proc/self/fd"))';
    const leaveOpen = `file_put_contents('${proofs}/open', json_encode(${seen}));`;
    const root = createRoot('atom', WWW_DATA, {
      'config/config.php': `<?php ${leaveOpen} return [];`,
      symfony: `<?php ${leaveOpen} exit(7);`,
    });
    const secret = join(scratch, 'secret');
    writeFileSync(secret, '');
    for (const args of [['config', '--run-php'], ['worker:run']]) {
      rmSync(join(proofs, 'open'), {force: true});
      // Beyond those that Node itself does not pass on.
      const script = 'file=$1; shift; exec 40<>"$file" 60>>"$file"; exec "$@"';
      const command = ['-c', script, 'bash', secret, ...ATOMCTL, ...args, '--atom-root', root];
      const {status} = spawnSync('bash', command, {env: cleanEnvironment()});
      const open = JSON.parse(readFileSync(join(proofs, 'open'), 'utf8'));
      expect([args, status]).toEqual([args, args[0] === 'worker:run' ? 7 : 2]);
      expect(open).toContain('/dev/null');
      expect(open).not.toContain(secret);
    }
  });

  test('PHP that does not end is ended after --timeout', async () => {
    const root = createRoot('atom', WWW_DATA, {'config/config.php': '<?php while (true) sleep(1);'});
    const {code, stderr} = await runAtomctl(['config', '--run-php', '--timeout', '1'], {
      env: {ATOMCTL_ROOT: root},
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('php did not end within 1 s')]);
  });
});

describe('worker:run, called by root (S14)', () => {
  const REPORT = `echo json_encode([
    'ids' => [posix_getuid(), posix_getgid(), implode('+', posix_getgroups())],
    'ownSession' => posix_getsid(0) === getmypid(),
    'terminals' => [(bool) @fopen('/dev/tty', 'r+'), posix_isatty(STDIN), posix_isatty(STDOUT), posix_isatty(STDERR)],
    'input' => strlen(stream_get_contents(STDIN)),
    'cwd' => getcwd(), 'environment' => array_keys(getenv()),
    'arguments' => array_slice($argv, 1)]), PHP_EOL;`;
  const script = () => `<?php ${leaveProof()} ${REPORT} fwrite(STDERR, "\\e]0;hello\\x07"); exit(7);`;

  test('S14: runs as the owner of the root, without input, terminal or the rest of the environment', async () => {
    const root = createRoot('atom', WWW_DATA, {symfony: script()});
    const env = {ATOMCTL_ROOT: root, SECRET: 'hunter2', ATOM_NAME: 'archive', LANG: 'C.UTF-8'};
    const seen = {
      ids: [WWW_DATA, WWW_DATA, '33'],
      ownSession: true,
      terminals: [false, false, false, false],
      input: 0,
      cwd: root,
      environment: expect.not.arrayContaining(['SECRET', 'ATOMCTL_ROOT', 'PWD']),
      arguments: ['jobs:worker', '--max-job-count=5'],
    };
    const args = ['worker:run', '--max-job-count', '5'];
    const {code, stdout} = await runAtomctl(args, {env, stdin: 'typed'});
    expect([code, JSON.parse(stdout)]).toEqual([7, seen]);
    expect(JSON.parse(stdout).environment.sort()).toEqual([
      'ATOM_NAME',
      'HOME',
      'LANG',
      'LOGNAME',
      'PATH',
      'SHELL',
      'USER',
    ]);
    const onTerminal = await runOnTerminal(args, {env});
    const [report, printed] = onTerminal.screen.split('\n') as [string, string];
    expect([onTerminal.code, JSON.parse(report)]).toEqual([7, seen]);
    expect(printed).toContain('\\x1b]0;hello\\x07');
    expect(readdirSync(proofs).map((name) => statSync(join(proofs, name)).uid)).toEqual([33, 33]);
  });

  test.for<[string, string, (root: string) => void]>([
    ['root owns it', 'belongs to root', (root) => chownSync(root, 0, 0)],
    ['nobody has its account', '(uid 54321) has no account', (root) => chownSync(root, 54321, 54321)],
    ['everyone may write it', 'is writable by others', (root) => chmodSync(root, 0o777)],
    [
      'another user owns its script',
      'belongs to uid 65534',
      (root) => chownSync(join(root, 'symfony'), NOBODY, NOBODY),
    ],
  ])('S14: runs nothing if %s', async ([, reason, weaken]) => {
    const root = createRoot('atom', WWW_DATA, {symfony: script()});
    weaken(root);
    const {code, stdout, stderr} = await runAtomctl(['worker:run'], {env: {ATOMCTL_ROOT: root}});
    expect([code, stdout, stderr]).toEqual([5, '', expect.stringContaining(reason)]);
    expect(stderr).toMatch(/^Error: [^\n]* sudo -u www-data atomctl worker:run\n$/);
    expect(readdirSync(proofs)).toEqual([]);
  });

  test('another caller runs it himself', async () => {
    const root = createRoot('atom', NOBODY, {symfony: script()});
    const {code, stdout} = await runAtomctl(['worker:run'], {uid: WWW_DATA, env: {ATOMCTL_ROOT: root}});
    expect([code, JSON.parse(stdout).ids[0]]).toEqual([7, WWW_DATA]);
  });

  test('a php that cannot be run is one sentence', async () => {
    const root = createRoot('atom', WWW_DATA, {symfony: script()});
    const {code, stderr} = await runAtomctl(['worker:run', '--php', '/no/php'], {env: {ATOMCTL_ROOT: root}});
    expect([code, stderr]).toEqual([1, expect.stringContaining('/no/php could not be run in')]);
  });
});

test('PHP ends soon after --timeout even if atomctl has been killed', async () => {
  const pidFile = join(proofs, 'pid');
  const source = `<?php file_put_contents('${pidFile}', getmypid()); while (true) sleep(1);`;
  const root = createRoot('atom', WWW_DATA, {'config/config.php': source});
  const args = ['config', '--run-php', '--timeout', '2', '--atom-root', root];
  const atomctl = spawn(...commandLine(args), {env: cleanEnvironment(), stdio: 'ignore'});
  await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
  atomctl.kill('SIGKILL');
  const pid = readFileSync(pidFile, 'utf8');
  expect(isRunning(pid)).toBe(true);
  await until(() => !isRunning(pid));
});

test('PHP that runs leaves the proof file, so its absence proves that none ran', async () => {
  const root = createRoot('atom', WWW_DATA, filesOf(evil()));
  await runAtomctl(['config', '--run-php'], {env: {ATOMCTL_ROOT: root}});
  const [proof] = readdirSync(proofs);
  expect(proof).toMatch(/^ran-as-33-/);
  expect(statSync(join(proofs, proof!)).uid).toBe(WWW_DATA);
  expect(existsSync(proofs)).toBe(true);
});
