import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeEach, describe, expect, it} from 'vitest';
import {type PhpOptions, runPhp} from '../../../src/php/run-php.ts';
import {isRunning} from '../../support/is-running.ts';
import {phpIsInstalled, phpPermission} from '../../support/php/installed-php.ts';
import {createScratch} from '../../support/scratch.ts';
import {until} from '../../support/until.ts';

const WWW_DATA = 33;
const NOBODY = 65534;
/** As an ordinary user: PHP runs as the user of the test. */
const AS_USER = {env: {}, php: phpPermission({callerUid: 1})};
const AS_ROOT = {env: {}, php: phpPermission({callerUid: 0})};

const withPhp = phpIsInstalled();
beforeEach(({skip}) => skip(!withPhp, 'php is not installed'));

/** Below /var/lib, unlike /tmp, root alone decides which file has a name. */
const rootsOwn: string[] = [];
afterAll(() => {
  for (const directory of rootsOwn) rmSync(directory, {recursive: true, force: true});
});

/** An open directory that others can reach, in /tmp. */
function scratch(): string {
  const directory = createScratch('php');
  for (const each of [directory, dirname(directory)]) chmodSync(each, 0o755);
  return directory;
}

function rootsDirectory(): string {
  const directory = mkdtempSync('/var/lib/atomctl-test-');
  rootsOwn.push(directory);
  chmodSync(directory, 0o755);
  return directory;
}

function write(directory: string, source: string, name = 'config.php'): string {
  const file = join(directory, name);
  writeFileSync(file, source);
  return file;
}

const returning = (expression: string) => `<?php return ${expression};`;

/** What the file returns; the reason if PHP did not run. */
async function run(file: string, options: PhpOptions & {php: NonNullable<PhpOptions['php']>}) {
  const answer = await runPhp(file, options);
  return answer.ran ? answer.returned : answer.reason;
}

describe('php', () => {
  it('sees a fixed PATH and the variables of AtoM, and nothing else of the environment', async () => {
    const env = {
      PATH: '/nonexistent',
      HOME: '/root',
      SSH_AUTH_SOCK: 'x',
      PHPRC: '/tmp',
      ATOM_MYSQL_DSN: 'dsn',
    };
    const file = write(scratch(), returning("implode(' ', array_keys(getenv()))"));
    expect(
      String(await run(file, {...AS_USER, env}))
        .split(' ')
        .sort(),
    ).toEqual(['ATOM_MYSQL_DSN', 'PATH']);
    const value = write(scratch(), returning("getenv('ATOM_MYSQL_DSN') . ' ' . getenv('PATH')"));
    expect(await run(value, {...AS_USER, env})).toMatch(/^dsn \/usr\/local\/sbin:.*:\/bin$/);
  });

  it('has a session of its own, without a terminal and without input', async () => {
    const expression = `implode(' ', [posix_getsid(0) === posix_getppid() ? 'own' : 'shared',
      @fopen('/dev/tty', 'r') ? 'terminal' : 'none', strlen(stream_get_contents(STDIN))])`;
    expect(await run(write(scratch(), returning(expression)), AS_USER)).toBe('own none 0');
  });

  it('is ended after the timeout, with all that it started', async () => {
    const directory = scratch();
    const pidFile = join(directory, 'pid');
    const source = `<?php exec('sleep 300 >/dev/null & echo $! >${pidFile}'); while (true) sleep(1);`;
    const php = phpPermission({callerUid: 1, timeoutSeconds: 1});
    expect(await run(write(directory, source), {env: {}, php})).toBe('php did not end within 1 s');
    const pid = readFileSync(pidFile, 'utf8').trim();
    await until(() => !isRunning(pid));
    expect(isRunning(pid)).toBe(false);
  });

  it('may not print without end', async () => {
    const file = write(scratch(), "<?php ob_end_clean(); while (true) echo str_repeat('x', 65536);");
    expect(await run(file, AS_USER)).toBe('it printed more than 4 MiB');
  });
});

const WHO = returning("implode(' ', [posix_getuid(), posix_getgid(), implode('+', posix_getgroups())])");

describe('php for root', () => {
  beforeEach(({skip}) => skip(process.geteuid!() !== 0, 'only root can run as another user'));

  it('runs as root if only root can change the file', async () => {
    const file = write(rootsDirectory(), WHO);
    expect(await run(file, AS_ROOT)).toMatch(/^0 0 /);
  });

  it.each<[string, (directory: string, file: string) => void, RegExp]>([
    ['belongs to another user', (_, file) => chownSync(file, WWW_DATA, 0), /config\.php belongs to uid 33$/],
    ['is writable by its group', (_, file) => chmodSync(file, 0o664), /config\.php is writable by others$/],
    [
      'is in a directory writable by all',
      (directory) => chmodSync(directory, 0o1777),
      /test-\w+ is writable by others$/,
    ],
    [
      'is a link',
      (directory, file) => {
        rmSync(file);
        symlinkSync(write(directory, WHO, 'other.php'), file);
      },
      /config\.php is a link$/,
    ],
  ])('does not run as root if the file %s', async (_, weaken, reason) => {
    const directory = rootsDirectory();
    const file = write(directory, WHO);
    weaken(directory, file);
    const answer = await run(file, AS_ROOT);
    expect(answer).toMatch(/^php must not run as root on it, because /);
    expect(answer).toMatch(reason);
  });

  it('does not run as root below a directory of another user, or one that others may write to', async () => {
    const above = rootsDirectory();
    const directory = join(above, 'config');
    mkdirSync(directory);
    const file = write(directory, WHO);
    chownSync(above, WWW_DATA, WWW_DATA);
    expect(await run(file, AS_ROOT)).toBe(
      `php must not run as root on it, because ${above} belongs to uid 33`,
    );
    expect(await run(write(scratch(), WHO), AS_ROOT)).toBe(
      `php must not run as root on it, because ${tmpdir()} is writable by others`,
    );
  });

  it("runs as the owner of the directory, with that user's own groups and not the file's", async () => {
    const directory = scratch();
    const file = write(directory, WHO);
    chownSync(directory, WWW_DATA, 4);
    chownSync(file, WWW_DATA, 4);
    expect(await run(file, AS_ROOT)).toBe('33 33 33');
    chownSync(file, 0, 0);
    expect(await run(file, AS_ROOT)).toBe('33 33 33');
  });

  it.each<[string, (directory: string, file: string) => void, RegExp]>([
    ['owns the file', (_, file) => chownSync(file, NOBODY, 0), /config\.php belongs to uid 65534$/],
    ['may write the file', (_, file) => chmodSync(file, 0o666), /config\.php is writable by others$/],
    ['may write the directory', (directory) => chmodSync(directory, 0o777), /php-\w+ is writable by others$/],
    [
      "is in the directory's group, which may write",
      (directory) => {
        chownSync(directory, WWW_DATA, 4);
        chmodSync(directory, 0o775);
      },
      /php-\w+ is writable by others$/,
    ],
  ])('does not run as the owner if another user %s', async (_, weaken, reason) => {
    const directory = scratch();
    const file = write(directory, WHO);
    chownSync(directory, WWW_DATA, WWW_DATA);
    chownSync(file, WWW_DATA, WWW_DATA);
    weaken(directory, file);
    const answer = await run(file, AS_ROOT);
    expect(answer).toMatch(/^php must not run as www-data on it, because /);
    expect(answer).toMatch(reason);
  });

  it('does not run as a user without an account', async () => {
    const directory = scratch();
    const file = write(directory, WHO);
    chownSync(directory, 54321, 54321);
    expect(await run(file, AS_ROOT)).toBe(
      'the owner of its directory (uid 54321) has no account, so php cannot run as its owner',
    );
  });
});
