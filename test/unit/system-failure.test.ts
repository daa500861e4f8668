import {mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {accountName} from '../../src/account-name.ts';
import {asOwner, systemReason} from '../../src/system-failure.ts';
import {createScratch} from '../support/scratch.ts';

const SRC = resolve(fileURLToPath(new URL('../../src', import.meta.url)));

describe('a failure of the system', () => {
  const failed = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return error;
    }
    throw new Error('it did not fail');
  };
  const directory = createScratch('failures');

  it.each([
    ['a file that is missing', failed(() => readFileSync(join(directory, 'none'))), 'it does not exist'],
    ['a directory read as a file', failed(() => readFileSync(directory)), 'it is a directory'],
    [
      'a code that only the system has words for',
      Object.assign(new Error('E2BIG'), {code: 'E2BIG', errno: -7}),
      'argument list too long',
    ],
    [
      'a code in the text of a library',
      new Error('read ECONNRESET'),
      'the connection was closed by the other side',
    ],
    ['an error without a code', new Error('It broke.'), 'It broke'],
    ['nothing', undefined, 'unknown error'],
  ])('is told in words: %s', (_, error, words) => {
    expect(systemReason(error)).toBe(words);
  });

  it('names the owner of the files, or www-data', () => {
    const owned = join(directory, 'owned');
    mkdirSync(owned);
    writeFileSync(join(owned, 'file'), '');
    const owner = accountName(statSync(owned).uid);
    const expected = owner === 'root' ? 'www-data' : owner;
    expect(asOwner(join(owned, 'file'))).toBe(`sudo -u ${expected} atomctl …`);
    expect(asOwner(undefined)).toBe('sudo -u www-data atomctl …');
    expect(accountName(0)).toBe('root');
    expect(accountName(4_000_000_000)).toBeNull();
  });
});

/** What would print a code such as ENOENT, or Node's own text, which begins with one. */
const PRINTS_CODE = [
  /\$\{[^}`]*\b(?:code|errno)\b[^}`]*\}/,
  /\bcode\s*\?\?(?! '')|\?\?\s*\(?(?:\w+\.)?code\b/,
  /as (?:Error|NodeJS\.ErrnoException)\)\.message/,
  /String\((?:error|cause|thrown)\)/,
];

/** Codes of the servers, which their manuals explain; a code that a table explains; what nobody expected. */
const ALLOWED = [
  'cli/failure.ts: if (!(thrown instanceof Error)) return String(thrown);',
  `gearman/failure.ts: return new AtomctlError('GEARMAN_PROTOCOL', \`Gearman server \${server} refused "\${command}" (\${code}).\`, {`,
  `mysql/explained-failure.ts: \`The database server refused (\${code}): \${detail}.\`,`,
  "mysql/failure.ts: code: error.code ?? (isServerError(error) ? String(error.errno) : 'connection closed'),",
  'mysql/failure.ts: bare.name = error.code ?? error.name;',
];

/** Lines that print a code, each as `FILE: LINE`. */
function printedCodes(path: string, text: string): string[] {
  const errors = [...text.matchAll(/(\w+): NodeJS\.ErrnoException/g)].map(([, name]) => name);
  const messages = errors.map((name) => new RegExp(`\\b${name}\\.message\\b`));
  return text
    .split('\n')
    .filter((line) => [...PRINTS_CODE, ...messages].some((pattern) => pattern.test(line)))
    .map((line) => `${path}: ${line.trim()}`);
}

describe('the source', () => {
  it('prints a failure of the system in words everywhere: no code such as ENOENT, and none of Node’s own texts', () => {
    const paths = readdirSync(SRC, {recursive: true, encoding: 'utf8'})
      .filter((path) => path.endsWith('.ts') && !['system-failure.ts', 'render/sanitize.ts'].includes(path))
      .sort();
    expect(paths.length).toBeGreaterThan(300);
    const found = paths.flatMap((path) => printedCodes(path, readFileSync(join(SRC, path), 'utf8')));
    expect(found).toEqual(ALLOWED);
  });

  it.each([
    `throw usageError(\`\${file} cannot be read (\${error.code}).\`);`,
    'const reason = REASONS[code] ?? code;',
    `const {code = "unknown"} = error; return \`failed: \${code}\`;`,
    'return (error as Error).message;',
    'const failed = (cause: NodeJS.ErrnoException) => usageError(cause.message);',
    'return notWritable(path, String(error));',
  ])('would be found: %s', (text) => {
    expect(printedCodes('planted.ts', text)).toHaveLength(1);
  });
});
