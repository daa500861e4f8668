import {execFileSync} from 'node:child_process';
import {symlinkSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {readConfigPhp} from '../../../../src/atom/config/config-php.ts';
import type {PhpOptions} from '../../../../src/php/run-php.ts';
import {phpIsInstalled, phpPermission} from '../../../support/php/installed-php.ts';
import {revealed} from '../../../support/revealed.ts';
import {configPhp, createRoot} from '../../../support/site/atom-files.ts';

const WITHOUT_PHP: PhpOptions = {env: {}};
/** As a user who is not root, so PHP runs as the user of the test. */
const WITH_PHP: PhpOptions = {env: {}, php: phpPermission({callerUid: 1})};
const DSN = 'mysql:host=db;dbname=atom';

async function read(source: string, options: PhpOptions = WITHOUT_PHP) {
  const config = await readConfigPhp(createRoot({'config/config.php': source}), options);
  return config && revealed(config);
}

/** Not static: strrev() is a call that only PHP can make. */
const COMPUTED = `<?php return ['all' => ['propel' => ['param' => [
  'dsn' => strrev('mota=emanbd;bd=tsoh:lqsym'), 'username' => getenv('ATOM_USER'), 'password' => 'hunter2']]]];`;

describe('config.php', () => {
  it('names the database', async () => {
    const source = configPhp({
      dsn: 'mysql:host=db;port=3307;dbname=atom',
      username: 'u',
      password: 'p',
      encoding: 'utf8mb4',
    });
    expect(await read(source)).toEqual({
      host: 'db',
      port: 3307,
      socketPath: null,
      database: 'atom',
      user: 'u',
      password: 'p',
    });
  });

  it('gives nothing if it does not exist', async () => {
    expect(await readConfigPhp(createRoot(), WITHOUT_PHP)).toBeNull();
  });

  it('flattens default < all < prod, key by key', async () => {
    const section = (param: string) => `['propel' => ['param' => [${param}]]]`;
    const source = `<?php return [
      'prod' => ${section(`'username' => 'prod'`)},
      'all' => ${section(`'username' => 'all', 'password' => 'all'`)},
      'dev' => ${section(`'dsn' => 'mysql:dbname=dev'`)},
      'default' => ${section(`'dsn' => '${DSN}', 'password' => 'default'`)}];`;
    expect(await read(source)).toMatchObject({host: 'db', database: 'atom', user: 'prod', password: 'all'});
  });

  it('gives numbers as PHP joins them, and no password as an empty one', async () => {
    const source = `<?php return ['all' => ['propel' => ['param' => ['dsn' => '${DSN}', 'username' => 'u', 'password' => 0123]]]];`;
    expect(await read(source)).toMatchObject({user: 'u', password: '83'});
    expect(await read(configPhp({dsn: DSN, username: 'u'}))).toMatchObject({password: ''});
  });

  it.each([
    ['<?php return 1;', /config\.php does not return an array/],
    ['<?php $x = 1;', /config\.php does not return an array/],
    [configPhp({username: 'u', password: 'hunter2'}), /config\.php has no all\.propel\.param\.dsn/],
    [configPhp({dsn: 'sqlite:hunter2'}), /config\.php\) does not begin with mysql:/],
    [COMPUTED, /config\.php cannot be read without PHP: a call of strrev\(\) on line 2\.$/],
  ])('refuses %j', async (source, reason) => {
    await expect(read(source)).rejects.toThrow(reason);
    await expect(read(source)).rejects.not.toThrow(/hunter2/);
    await expect(read(source)).rejects.toMatchObject({
      code: 'USAGE',
      hint: expect.stringContaining('--database-url'),
    });
  });

  it('names --run-php if it cannot be read without PHP', async () => {
    await expect(read(COMPUTED)).rejects.toMatchObject({hint: expect.stringContaining('--run-php')});
  });

  it('is evaluated by PHP if reading is not enough and PHP is allowed', async ({skip}) => {
    skip(!phpIsInstalled(), 'php is not installed');
    const env = {ATOM_USER: 'from-env'};
    expect(await read(COMPUTED, {...WITH_PHP, env})).toMatchObject({
      host: 'db',
      database: 'atom',
      user: 'from-env',
      password: 'hunter2',
    });
    expect(await read(`<?php echo 'noise'; ${COMPUTED.slice(5)}`, WITH_PHP)).toMatchObject({host: 'db'});
    await expect(read('<?php throw new Exception("hunter2");', WITH_PHP)).rejects.toThrow(
      /config\.php cannot be read without PHP \(.*\), and php failed to run it\.$/,
    );
    await expect(read('<?php exit(strrev("x"));', WITH_PHP)).rejects.toThrow(/php failed to run it/);
  });

  it('is not read if it is not a regular file, or too large', async () => {
    const linked = (target: string) => {
      const root = createRoot({'config/config.php': ''});
      unlinkSync(join(root, 'config/config.php'));
      symlinkSync(target, join(root, 'config/config.php'));
      return readConfigPhp(root, WITHOUT_PHP);
    };
    const fifo = join(createRoot(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const target of ['/dev/zero', '/tmp', fifo]) {
      await expect(linked(target)).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringMatching(/config\.php is not a regular file\.$/),
      });
    }
    await expect(linked(`/proc/${process.pid}/cmdline`)).rejects.toThrow(/does not return an array/);
    await expect(read(`<?php //${'x'.repeat(300 * 1024)}`)).rejects.toThrow(/is larger than 256 KiB/);
  });

  it('takes __DIR__ of the file that a symbolic link leads to', async () => {
    const elsewhere = createRoot({
      'shared/config.php': `<?php return ['all' => ['propel' => ['param' => ['dsn' => '${DSN}', 'username' => __DIR__]]]];`,
    });
    const root = createRoot({'config/config.php': ''});
    unlinkSync(join(root, 'config/config.php'));
    symlinkSync(join(elsewhere, 'shared/config.php'), join(root, 'config/config.php'));
    expect(await readConfigPhp(root, WITHOUT_PHP)).toMatchObject({user: join(elsewhere, 'shared')});
  });
});
