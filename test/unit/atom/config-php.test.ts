import {chmodSync, chownSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {readConfigPhp} from '../../../src/atom/config-php.ts';
import {configPhp, createRoot} from './atom-files.ts';
import {phpIsInstalled} from './installed-php.ts';

const WITHOUT_PHP = {PATH: '/nonexistent'};
const WITH_PHP = {PATH: process.env.PATH};
const DSN = 'mysql:host=db;dbname=atom';

const read = (source: string, env: Record<string, string | undefined> = WITHOUT_PHP) =>
  readConfigPhp(createRoot({'config/config.php': source}), env);

/** Not static: strrev() is a call that only PHP can make. */
const COMPUTED = `<?php return ['all' => ['propel' => ['param' => [
  'dsn' => strrev('mota=emanbd;bd=tsoh:lqsym'), 'username' => getenv('DB_USER'), 'password' => 'hunter2']]]];`;

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

  it('is no source where it does not exist', async () => {
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
    [
      COMPUTED,
      /config\.php needs php to be read \(a call of strrev\(\) on line 2\), and php is not installed here/,
    ],
  ])('refuses %j', async (source, reason) => {
    await expect(read(source)).rejects.toThrow(reason);
    await expect(read(source)).rejects.not.toThrow(/hunter2/);
    await expect(read(source)).rejects.toMatchObject({
      code: 'USAGE',
      hint: expect.stringContaining('--database-url'),
    });
  });

  it.skipIf(!phpIsInstalled())('is evaluated by PHP where reading does not do', async () => {
    expect(await read(COMPUTED, {...WITH_PHP, DB_USER: 'from-env'})).toMatchObject({
      host: 'db',
      database: 'atom',
      user: 'from-env',
      password: 'hunter2',
    });
    expect(await read(`<?php echo 'noise'; ${COMPUTED.slice(5)}`, WITH_PHP)).toMatchObject({host: 'db'});
    await expect(read('<?php throw new Exception("hunter2");', WITH_PHP)).rejects.toThrow(
      /config\.php needs php .* and php fails on it\.$/,
    );
    await expect(read('<?php exit(strrev("x"));', WITH_PHP)).rejects.toThrow(/php fails on it/);
  });

  it.skipIf(!phpIsInstalled() || process.getuid?.() !== 0)(
    'is evaluated as its owner, not as root',
    async () => {
      const root = createRoot({'config/config.php': ''});
      const file = join(root, 'config/config.php');
      for (const directory of [dirname(root), root]) chmodSync(directory, 0o755);
      const source = `<?php return ['all' => ['propel' => ['param' => ['dsn' => '${DSN}', 'username' => 'uid' . posix_getuid()]]]];`;
      writeFileSync(file, source);
      chownSync(file, 65534, 65534);
      expect(await readConfigPhp(root, WITH_PHP)).toMatchObject({user: 'uid65534'});
    },
  );

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
