import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {readConfigPhp} from '../../../src/atom/config-php.ts';
import {readConfigYaml} from '../../../src/atom/config-yaml.ts';
import {parsePdoDsn} from '../../../src/atom/pdo-dsn.ts';
import {listSites} from '../../../src/atom/site-file.ts';
import {loadSiteTime, parseAge} from '../../../src/atom/site-time.ts';
import {AtomctlError} from '../../../src/errors.ts';
import {parseDatabaseUrl} from '../../../src/mysql/database-url.ts';
import {readOptionFile} from '../../../src/mysql/option-file.ts';
import {createScratch} from '../../support/scratch.ts';
import {createRoot} from './atom-files.ts';

const WITHOUT_PHP = {PATH: '/nonexistent'};
const root = createRoot();
const scratch = createScratch('hostile');
const time = await loadSiteTime('America/Vancouver');

/** Any characters at all, and such as come near to being right. */
function near(...pieces: string[]) {
  return fc.oneof(
    fc.string({unit: 'binary'}),
    fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.string({maxLength: 3})), {maxLength: 12})
      .map((parts) => parts.join('')),
  );
}

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

function inFile(text: string): string {
  const file = join(scratch, 'file');
  writeFileSync(file, text, {mode: 0o600});
  return file;
}

const READERS: [string, fc.Arbitrary<string>, (text: string) => unknown][] = [
  [
    'a database URL',
    near('mysql://', 'u', ':', 'p', '@', 'h', '/', 'd', '?', '%', 'ssl=', '&'),
    (text) => parseDatabaseUrl(text, 'x'),
  ],
  ['a DSN', near('mysql:', 'host=', 'dbname=', ';', '=', 'port=', '1'), (text) => parsePdoDsn(text, 'x')],
  ['an age', near('9', 'd'), (text) => parseAge(text, 'x')],
  ['a time', near('2026-', '11-', '23', 'T', '10:', '00', 'Z', '+0'), (text) => time.parseWhen(text, 'x')],
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
      writeFileSync(join(root, 'config/config.php'), text);
      return readConfigPhp(root, WITHOUT_PHP);
    },
  ],
  [
    'a YAML file',
    near(...YAML),
    async (text) => {
      writeFileSync(join(root, 'config/x.yml'), text);
      return (await readConfigYaml(root, 'x.yml', WITHOUT_PHP)).get(['k'], ['prod']);
    },
  ],
];

describe('any text', () => {
  it.each(READERS)('as %s is read or refused with a usage error', async (_, texts, read) => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        try {
          await read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AtomctlError);
        }
      }),
      {numRuns: Number(process.env.FC_RUNS ?? 400)},
    );
  });
});
