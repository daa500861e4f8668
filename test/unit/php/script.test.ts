import {realpathSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {NotStaticError, readPhpScript} from '../../../src/php/script.ts';
import type {PhpValue} from '../../../src/php/value.ts';
import {includeWithPhp, phpIsInstalled} from '../../support/php/installed-php.ts';
import {createScratch} from '../../support/scratch.ts';

const ENV = {HOST: 'db', EMPTY: '', ZERO: '0'};

/** Name, source after `<?php`, what it returns. Lists are written as the maps that they are. */
const SCRIPTS: [string, string, unknown][] = [
  [
    'both array forms',
    `return array('a' => ['b' => array(1, 'x')], 'c',);`,
    {a: {b: {0: 1, 1: 'x'}}, 0: 'c'},
  ],
  [
    'keys that are numbers',
    `return ['5' => 'a', 'b', -3 => 'c', 'd', '07' => 'e'];`,
    {5: 'a', 6: 'b', '-3': 'c', 7: 'd', '07': 'e'},
  ],
  ['a key given twice', `return ['a' => 1, 'a' => 2];`, {a: 2}],
  [
    'scalars',
    `return [true, FALSE, null, -7, 0x1f, 017, 1_000, 1.5];`,
    {0: true, 1: false, 2: null, 3: -7, 4: 31, 5: 15, 6: 1000, 7: 1.5},
  ],
  [
    'quotes and escapes',
    String.raw`return ['it\'s \n \\', "a\t\"\$x\\ \x41\101\u{e9}\q", "é"];`,
    {0: `${String.raw`it's \n `}\\`, 1: 'a\t"$x\\ AAé\\q', 2: 'é'},
  ],
  ['interpolation', `$h = 'x'; $a = ['k' => 'v']; return "$h-{$h}-{$a['k']}";`, 'x-x-v'],
  [
    'heredoc and nowdoc',
    "$h = 'x';\nreturn [<<<A\n  a\n  $h\n  A, <<<'B'\n$h\\n\nB];",
    {0: 'a\nx', 1: '$h\\n'},
  ],
  ['concatenation', `return 'a' . 1 . true . null . false . 1.0 . 1e50 . 0.00001;`, 'a1111.0E+501.0E-5'],
  [
    'getenv',
    `return [getenv('HOST'), getenv('NONE'), 'h=' . getenv('NONE'), \\getenv('EMPTY')];`,
    {0: 'db', 1: false, 2: 'h=', 3: ''},
  ],
  [
    'elvis',
    `return [getenv('NONE') ?: 'd', getenv('HOST') ?: 'd', getenv('ZERO') ?: 'd', [] ?: 'e'];`,
    {0: 'd', 1: 'db', 2: 'd', 3: 'e'},
  ],
  [
    'null coalescing',
    `return [$_SERVER['NONE'] ?? 'd', $_SERVER['HOST'] ?? 'd', $x['a']['b'] ?? null ?? 'e', getenv('NONE') ?? 'd'];`,
    {0: 'd', 1: 'db', 2: 'e', 3: false},
  ],
  [
    'ternary',
    `return [getenv('HOST') === 'db' ? 'y' : 'n', 'a' == 'b' ? 'y' : 'n', 'a' != 'b' ? 'y' : 'n'];`,
    {0: 'y', 1: 'n', 2: 'y'},
  ],
  [
    'logic',
    `return [true && !false, getenv('NONE') || '0', isset($_SERVER['HOST']), isset($n), empty(''), !1];`,
    {0: true, 1: false, 2: true, 3: false, 4: true, 5: false},
  ],
  [
    'constants',
    `define('A', 'x'); const B = A . 'y'; define('C', 'z'); if (!defined('C')) { return 0; } return A . B . \\C . PHP_EOL . DIRECTORY_SEPARATOR;`,
    'xxyz\n/',
  ],
  [
    'bits',
    `return [E_ALL, E_ALL & ~E_NOTICE, (E_ALL | E_STRICT) ^ E_NOTICE, 2 * 3 + 1 - 4];`,
    {0: 32767, 1: 32759, 2: 32759, 3: 3},
  ],
  [
    'if and else',
    `if (getenv('NONE')) { return 'a'; } elseif (getenv('HOST')) { return 'b'; } else { return 'c'; }`,
    'b',
  ],
  ['nothing after return', `return 'a'; echo 'b'; return 'c';`, 'a'],
  ['declare and comments', `declare(strict_types=1); /* a */ // b\n# c\nreturn 1;`, 1],
];

function write(source: string): string {
  const file = join(realpathSync(createScratch('php-script')), 'config.php');
  writeFileSync(file, source);
  return file;
}

/** Arrays as plain objects, as JSON_FORCE_OBJECT shows them. */
function plain(value: PhpValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, entry]) => [key, plain(entry)]));
  return typeof value === 'bigint' ? Number(value) : value;
}

async function read(source: string, placeholder?: string) {
  const {output, returned} = await readPhpScript(source, {file: '/a/b/c.php', env: ENV, placeholder});
  return {output, returned: plain(returned)};
}

describe('PHP read without PHP', () => {
  it.each(SCRIPTS)('%s', async (_, source, expected) => {
    expect(await read(`<?php ${source}`)).toEqual({output: '', returned: expected});
  });

  it('knows its file and directory', async () => {
    const source = `<?php return [__FILE__, __DIR__, dirname(__FILE__), dirname(__DIR__, 2), basename ?? 1];`;
    await expect(read(source)).rejects.toThrow('the constant basename on line 1');
    expect(await read(source.replace(', basename ?? 1', ''))).toMatchObject({
      returned: {0: '/a/b/c.php', 1: '/a/b', 2: '/a/b', 3: '/'},
    });
  });

  it('prints the text outside the tags, and drops the newline after a tag, as PHP does', async () => {
    const source =
      'a: <?php echo 1 + 1, "x\\n" ?>\nb: <?= getenv(\'HOST\') ?>\nc <?php if (true): ?>d<?php endif; ?>';
    expect((await read(source)).output).toBe('a: 2x\nb: dbc d');
  });

  it('prints a placeholder only for an echo that cannot be evaluated', async () => {
    expect((await read('a: <?php echo sfConfig::get("x") ?>, <?= 1 ?>', '??')).output).toBe('a: ??, 1');
  });

  it.each([
    ['<?php return strtoupper("a");', 'a call of strtoupper() on line 1'],
    ['<?php\n\nreturn $undefined;', 'a value that is not set on line 3'],
    ['<?php return new Foo();', 'a new expression'],
    ['<?php return `id`;', 'a shell command'],
    ['<?php return require "x.php";', 'a include expression'],
    ['<?php return ["a", ...$b];', 'an unusual array entry'],
    ['<?php $a["b"] = 1; return $a;', 'an assignment to something other than a variable'],
    ['<?php foreach ([1] as $x) {} return 1;', 'a foreach statement'],
    ['<?php return "\\xc3\\xa9";', 'a byte escape'],
    ['<?php return "1" == "01";', 'the operator =='],
    ['<?php return 1 == true;', 'the operator =='],
    ['<?php return [', 'it is not valid PHP'],
    ['<?php return defined("SF_ROOT_DIR");', 'a call of defined()'],
    ['<?php return $_ENV["HOST"] ?? "d";', 'the variable $_ENV'],
    ['<?php return $_SERVER["HTTP_HOST"] ?? "d";', '$_SERVER of HTTP_HOST'],
    ['<?php return getenv();', 'a call of getenv()'],
    ['<?php return 9223372036854775807 + 1;', 'the operator +'],
    ['<?php $a = "abc"; return $a[0];', 'a character of a text'],
    [`<?php $a = "x"; ${'$a = $a . $a; '.repeat(40)} return $a;`, 'a too long text'],
    [`<?php $a = [1]; ${'$a = [$a, $a]; '.repeat(40)} return $a;`, 'a too large array'],
    [`<?php $a = [1]; ${'$a = [$a]; '.repeat(200)} return $a;`, 'a too large array'],
    [`<?php return ${'['.repeat(20_000)}${']'.repeat(20_000)};`, 'it is nested too deeply'],
    [`<?php return ${'!'.repeat(3000)}1;`, 'it is nested too deeply'],
  ])('leaves %.60s to PHP', async (source, reason) => {
    await expect(read(source)).rejects.toThrow(NotStaticError);
    await expect(read(source)).rejects.toThrow(reason);
  });

  it('agrees with PHP', async ({skip}) => {
    skip(!phpIsInstalled(), 'php is not installed');
    for (const [name, source, expected] of SCRIPTS) {
      const file = write(`<?php ${source}`);
      expect(includeWithPhp(file, ENV), name).toEqual({output: '', returned: expected});
    }
    const yaml =
      'a: <?php echo ((E_ALL | E_STRICT) ^ E_NOTICE)."\\n" ?>\nb: <?= __FILE__ ?>\n\nc: <?php echo dirname(__DIR__); ?>  d';
    const file = write(yaml);
    const {output} = await readPhpScript(yaml, {file, env: ENV});
    expect(output).toBe(includeWithPhp(file, ENV).output);
  });
});
