import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {test, vi} from 'vitest';
import {readConfigPhp} from '../../src/atom/config/config-php.ts';
import {readConfigYaml} from '../../src/atom/config/config-yaml.ts';
import {parsePdoDsn} from '../../src/atom/config/pdo-dsn.ts';
import {listSites} from '../../src/atom/site-file.ts';
import {createSiteTime} from '../../src/atom/site-time.ts';
import {parseAge, parseWhen} from '../../src/atom/when.ts';
import {AtomctlError} from '../../src/errors.ts';
import {parseDatabaseUrl} from '../../src/mysql/database-url.ts';
import {readOptionFile} from '../../src/mysql/option-file.ts';
import {createScratch} from '../support/scratch.ts';
import {createRoot} from '../support/site/atom-files.ts';
import {holdsLater, near} from './many.ts';

/** What the file under test holds. Ten thousand real files would try the disk and not the parsers. */
const content = vi.hoisted(() => ({file: '', text: ''}));
vi.mock('../../src/files/sync-files.ts', async (original) => ({
  ...(await original<typeof import('../../src/files/sync-files.ts')>()),
  readFile: async (file: string) => {
    if (file === content.file) return content.text;
    throw Object.assign(new Error('no such file'), {code: 'ENOENT'});
  },
}));

const WITHOUT_PHP = {env: {}};
const root = createRoot();
const scratch = createScratch('hostile');
const time = createSiteTime('America/Vancouver', process.env);

const PHP = [
  '<?php ',
  'return ',
  '[',
  ']',
  "'all' => ",
  "'",
  '"',
  '$x',
  '=',
  ';',
  ' ?>\n',
  'getenv(',
  ')',
  '09',
  '??',
  '<<<A\n',
  '`',
  '/*',
];
const YAML = [
  'all:',
  '\n',
  '  ',
  'k: ',
  '[',
  ']',
  '{',
  '}',
  '- ',
  '*a',
  '&a ',
  '<<: ',
  '"',
  "'",
  '%',
  '<?php echo ',
  '?>',
  '\t',
  '!!js ',
  '0',
  '? ',
];

const OWN_FILE = join(scratch, 'file');
writeFileSync(OWN_FILE, '', {mode: 0o600});

/** @returns the file's name, real but for its content */
function inFile(text: string, file = OWN_FILE): string {
  Object.assign(content, {file, text});
  return file;
}

for (const name of ['config.php', 'x.yml']) writeFileSync(join(root, 'config', name), '');

const READERS: [string, fc.Arbitrary<string>, (text: string) => unknown][] = [
  [
    'a database URL',
    near('mysql://', 'u', ':', 'p', '@', 'h', '/', 'd', '?', '%', 'ssl=', '&'),
    (text) => parseDatabaseUrl(text, 'x'),
  ],
  ['a DSN', near('mysql:', 'host=', 'dbname=', ';', '=', 'port=', '1'), (text) => parsePdoDsn(text, 'x')],
  ['an age', near('9', 'd'), (text) => parseAge(text, 'x')],
  [
    'a time',
    near('2026-', '11-', '23', 'T', '10:', '00', 'Z', '+0'),
    (text) => parseWhen(text, {origin: 'x', time, now: new Date(0)}),
  ],
  [
    'an option file',
    near('[client]', '\n', 'password', '=', '"', '\\', '#', '!include ', '!'),
    (text) => readOptionFile(inFile(text), 'x'),
  ],
  [
    'a site file',
    near('sites:', ...YAML),
    (text) => listSites({config: {value: inFile(text), origin: 'x'}}, {env: {}, cwd: '/'}),
  ],
  [
    'config.php',
    near(...PHP),
    (text) => {
      inFile(text, join(root, 'config/config.php'));
      return readConfigPhp(root, WITHOUT_PHP);
    },
  ],
  [
    'a YAML file',
    near(...YAML),
    async (text) => {
      inFile(text, join(root, 'config/x.yml'));
      return (await readConfigYaml(root, 'x.yml', WITHOUT_PHP)).get(['k'], ['prod']);
    },
  ],
];

test.each(READERS)('any text as %s is read or refused with a usage error', async (_, texts, read) => {
  await holdsLater(
    fc.asyncProperty(texts, async (text) => {
      try {
        await read(text);
      } catch (error) {
        if (!(error instanceof AtomctlError)) throw error;
      }
    }),
  );
});
