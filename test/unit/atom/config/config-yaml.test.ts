import {describe, expect, it} from 'vitest';
import {readConfigYaml} from '../../../../src/atom/config/config-yaml.ts';
import type {PhpValue} from '../../../../src/php/value.ts';
import {phpIsInstalled, phpPermission} from '../../../support/php/installed-php.ts';
import {createRoot} from '../../../support/site/atom-files.ts';

const WITHOUT_PHP = {env: {HOST: 'db'}};

/** Maps as entries, so that their order is compared too. */
function plain(value: PhpValue | undefined): unknown {
  return value instanceof Map ? [...value].map(([key, entry]) => [key, plain(entry)]) : value;
}

/** The value at `keys`, with the project's and the application's file as given, and its origin below the root. */
async function read(project: string | null, app: string | null, keys: string[], environments = ['prod']) {
  const root = createRoot({
    ...(project === null ? {} : {'config/x.yml': project}),
    ...(app === null ? {} : {'apps/qubit/config/x.yml': app}),
  });
  const setting = (await readConfigYaml(root, 'x.yml', WITHOUT_PHP)).get(keys, environments);
  return setting && {value: plain(setting.value), origin: setting.origin.replaceAll(`${root}/`, '')};
}

describe('layers and sections', () => {
  it.each([
    [
      'the application over the project',
      'all: {k: low}',
      'all: {k: high}',
      'high',
      'apps/qubit/config/x.yml',
    ],
    [
      'a project-level prod over an application-level all',
      'prod: {k: low}',
      'all: {k: high}',
      'low',
      'config/x.yml',
    ],
    ['all over default', 'all: {k: a}', 'default: {k: d}', 'a', 'config/x.yml'],
    ['default alone', null, 'default: {k: d}', 'd', 'apps/qubit/config/x.yml'],
    ['an empty section hides nothing', 'prod: {k: low}', 'prod:\nall:\n', 'low', 'config/x.yml'],
    [
      'a map over a scalar',
      'all: {k: low}',
      'all: {k: {a: b}}',
      [['a', 'b']],
      'apps/qubit/config/x.yml, config/x.yml',
    ],
    ['a merge key', 'common: &common {k: low}\nprod:\n  <<: *common\n', null, 'low', 'config/x.yml'],
    ['the last of two equal keys', 'all: {k: a}\nall: {k: b}', null, 'b', 'config/x.yml'],
  ])('%s', async (_, project, app, value, origin) => {
    expect(await read(project, app, ['k'])).toEqual({value, origin});
  });

  it('maps merge key by key in the order of the lower, and all their files are named', async () => {
    const low = 'all: {servers: {default: a, second: b}}\n';
    const high = 'prod: {servers: {third: c, default: d}}\n';
    expect(await read(low, high, ['servers'])).toEqual({
      value: [
        ['default', 'd'],
        ['second', 'b'],
        ['third', 'c'],
      ],
      origin: 'apps/qubit/config/x.yml, config/x.yml',
    });
  });

  it('lists merge by index', async () => {
    expect(await read('all: {l: [a, b, c]}', 'all: {l: [d]}', ['l'])).toMatchObject({
      value: [
        ['0', 'd'],
        ['1', 'b'],
        ['2', 'c'],
      ],
    });
  });

  it('takes the first environment that gives a value, and ignores null', async () => {
    const file = 'prod: {a: ~}\nworker: {a: w, b: w}\ncli: {b: c}\n';
    expect(await read(file, null, ['a'], ['prod', 'worker'])).toMatchObject({value: 'w'});
    expect(await read(file, null, ['b'], ['cli', 'worker'])).toMatchObject({value: 'c'});
    expect(await read(file, null, ['c'], ['prod', 'worker'])).toBeUndefined();
    expect(await read(null, null, ['a'])).toBeUndefined();
    expect(await read('', '# nothing', ['a'])).toBeUndefined();
  });
});

describe('scalars', () => {
  it.each([
    ['on', 'on'],
    ['off', 'off'],
    ['yes', 'yes'],
    ['no', 'no'],
    ['true', true],
    ['12', 12n],
    ["'12'", '12'],
    ['12345678901234567890', 12345678901234567890n],
    ['0123', 83n],
    ['0x1F', 31n],
    ['1.5', 1.5],
    ['2026-11-23', '2026-11-23'],
    ['%SF_NOTHING%/a', '%SF_NOTHING%/a'],
    ['@a', '@a'],
    ['127.0.0.1:4730', '127.0.0.1:4730'],
  ])('%s', async (text, value) => {
    expect(await read(`all:\n  k: ${text}\n`, null, ['k'])).toMatchObject({value});
  });

  it('constants of symfony are replaced, in upper or lower case, also inside maps', async () => {
    const root = createRoot({
      'config/x.yml': 'all:\n  k:\n    - "%SF_ROOT_DIR%/a %sf_environment%"\n    - %SF_APP_CONFIG_DIR%\n',
    });
    const setting = (await readConfigYaml(root, 'x.yml', WITHOUT_PHP)).get(['k'], ['worker']);
    expect(plain(setting?.value)).toEqual([
      ['0', `${root}/a worker`],
      ['1', `${root}/apps/qubit/config`],
    ]);
  });
});

describe('PHP tags', () => {
  it('may be anywhere', async () => {
    const file = `<?php $zone = 'Europe/Paris' ?>
test:
  error_reporting: <?php echo ((E_ALL | E_STRICT) ^ E_NOTICE)."\\n" ?>
all:
  k: <?php echo $zone."\\n" ?>
  <?php if (getenv('HOST')): ?>h: <?= getenv('HOST') ?>:4730<?php endif ?>

`;
    expect(await read(file, null, ['k'])).toMatchObject({value: 'Europe/Paris'});
    expect(await read(file, null, ['h'])).toMatchObject({value: 'db:4730'});
    expect(await read(file, null, ['error_reporting'], ['test'])).toMatchObject({value: 32759n});
  });

  it.each([
    ['with their line', 'all:\n  a: <?php echo sfConfig::get("x")."\\n" ?>\n  b: fine\n'],
    ['before an empty line', 'all:\n  a: <?php echo sfConfig::get("x") ?>\n\n  b: fine\n'],
  ])('that cannot be evaluated, %s, spoil only the values that depend on them', async (_, file) => {
    expect(await read(file, null, ['b'])).toMatchObject({value: 'fine'});
    await expect(read(file, null, ['a'])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/^a in .*config\/x\.yml is computed by PHP .* without running it\.$/),
      hint: expect.stringContaining('--run-php'),
    });
  });

  it('makes the file unreadable if not even a placeholder is possible', async () => {
    await expect(read('<?php foreach ([1] as $x) {} ?>\nall: {k: v}\n', null, ['k'])).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(
        /config\/x\.yml cannot be read without PHP: a foreach statement on line 1\.$/,
      ),
      hint: expect.stringContaining('--run-php'),
    });
  });

  it('are evaluated by PHP if reading is not enough and PHP is allowed', async ({skip}) => {
    skip(!phpIsInstalled(), 'php is not installed');
    const root = createRoot({
      'config/x.yml': 'all:\n  k: <?php echo strrev("cba")."\\n" ?>\n  h: <?= getenv("ATOM_HOST") ?>\n',
      'config/y.yml': 'all:\n  k: <?php echo strrev("cba", no_such())."\\n" ?>\n  h: fine\n',
    });
    const php = phpPermission({callerUid: 1});
    const config = await readConfigYaml(root, 'x.yml', {env: {ATOM_HOST: 'db'}, php});
    expect(config.get(['k'], ['prod'])?.value).toBe('abc');
    expect(config.get(['h'], ['prod'])?.value).toBe('db');
    const failing = await readConfigYaml(root, 'y.yml', {env: {}, php});
    expect(failing.get(['h'], ['prod'])?.value).toBe('fine');
    expect(() => failing.get(['k'], ['prod'])).toThrow(
      /k in .*y\.yml is computed by PHP, and php failed to run it\.$/,
    );
  });
});

it('names file and line of what is not YAML', async () => {
  await expect(read('all:\n  a: [b\n', null, ['a'])).rejects.toThrow(
    /config\/x\.yml:\d+ is not valid YAML: /,
  );
});
