/** What `atomctl report` writes, and what is not in it. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {expectSchema} from '../support/json-schema.ts';
import {
  ATOM_PASSWORD,
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
} from '../support/sandbox.ts';

/** Whatever of a site could harm somebody, by its kind. */
const USERS = [
  'oquill',
  'Zoë Quill',
  'Zoe Quill',
  'zoe@quillmuseum.example',
  'carla@elsewhere.test',
  'homer',
];
const HOSTS = ['quillmuseum', 'es-north', '192.0.2.77', '2001:db8::77'];
const TITLES = [
  'Ottoline Vesper',
  'vesper-letters',
  'Vesper Quill Archive',
  'Correspondance de Lille',
  'Wren Diaries',
];
const FILES = ['donors-2026', 'TMPx81k', 'q7export'];
const SECRETS = [
  ATOM_PASSWORD,
  'tok-Anonymous-1',
  'S3cret-of-smtp',
  'S3cret-in-url',
  'S3cret-in-log',
  '0123456789abcdef0123456789abcdef',
];

const LONG_AGO = new Date('2019-01-01');

let gearmand: GearmanProcess;
let site: AtomSite;
let scratch: string;
let env: Record<string, string>;

beforeAll(async () => {
  gearmand = await startGearmand();
  scratch = createScratch('report');
  site = await createSite({gearman: [gearmand.endpoint], workerTypes: {general: ['arFileImportJob']}});
  await site.query("UPDATE user SET username = 'oquill', email = 'zoe@quillmuseum.example' WHERE id = 449");
  await site.query("UPDATE actor_i18n SET authorized_form_of_name = 'Zoë Quill' WHERE id = 449");
  await site.query("UPDATE information_object_i18n SET title = 'Letters of Ottoline Vesper' WHERE id = 512");
  await site.query("UPDATE information_object_i18n SET title = 'Correspondance de Lille' WHERE id = 514");
  await site.query("UPDATE information_object_i18n SET title = 'Wren Diaries' WHERE id = 513");
  await site.query("UPDATE slug SET slug = 'vesper-letters' WHERE object_id = 512");
  await site.query("UPDATE setting_i18n SET value = 'Vesper Quill Archive' WHERE id = 2");
  writeFileSync(
    join(site.root, 'config/search.yml'),
    'all:\n  server:\n    host: es-north\n    port: 9200\n',
  );
  // As long ago as the rest of the configuration: what is newer than a job leaves its state open.
  for (const path of ['config/search.yml', 'config']) utimesSync(join(site.root, path), LONG_AGO, LONG_AGO);
  // What has ended may still be in the journal.
  await site.insertJob({objectId: 513});
  await insertNamedJob();
  mkdirSync(join(scratch, 'bin'));
  tool('systemctl', SYSTEMCTL.replaceAll('ROOT', site.root));
  const entry = (message: string) =>
    JSON.stringify({
      __REALTIME_TIMESTAMP: '1772650000000000',
      _SYSTEMD_UNIT: 'atom-worker.service',
      MESSAGE: message,
    });
  const journal = [
    'Imported Letters of Ottoline',
    'Vesper for oquill, beside Wren Diaries',
    'password=S3cret-in-log',
    'evil\u202e\u001b[2J',
  ];
  tool('journalctl', `cat <<'END'\n${journal.map(entry).join('\n')}\nEND`);
  env = {
    ...site.env,
    PATH: `${join(scratch, 'bin')}:${process.env.PATH}`,
    SMTP_PASSWORD: 'S3cret-of-smtp',
    LOGNAME: 'homer',
  };
});

afterAll(() => Promise.all([gearmand?.kill(), site?.drop()]));

const SYSTEMCTL = `case "$*" in
--version) echo 'systemd 252 (252.39-1~deb12u1)';;
*UnitPath*) echo UnitPath=;;
*) cat <<'END'
Id=atom-worker.service
LoadState=loaded
ActiveState=inactive
ExecStart={ path=/usr/bin/php ; argv[]=/usr/bin/php symfony jobs:worker ; ignore_errors=no ; }
WorkingDirectory=ROOT
END
esac`;

function tool(name: string, script: string): void {
  writeFileSync(join(scratch, 'bin', name), `#!/bin/sh\n${script}\n`, {mode: 0o755});
}

/** A lost import whose log, notes and properties name everything. */
async function insertNamedJob(): Promise<void> {
  const name = 'arFileImportJob';
  const id = await site.insertJob({
    name,
    status: 'running',
    startedAt: '2020-03-04 13:05:00',
    userId: 449,
    objectId: 512,
    userToken: 'tok-Anonymous-1',
    downloadPath: 'downloads/jobs/q7export.zip',
    notes: [{text: 'Letters of Ottoline Vesper: asked by carla@elsewhere.test\u202e', error: true}],
  });
  const parameters = {
    file: {name: 'donors-2026.csv', tmp_name: '/home/homer/uploads/TMPx81k.csv'},
    parentId: '514',
    userToken: 'tok-Anonymous-1',
    name,
    id: String(id),
  };
  const messages = [
    'Job started.',
    `Parameters: ${JSON.stringify(parameters).replaceAll('/', '\\/')}`,
    'Reading /home/homer/uploads/TMPx81k.csv of donors-2026.csv to q7export',
    'Matched letters%20of%20ottoline%20vesper below CORRESPONDANCE DE LILLE\nsee vesper-letters, LETTERS OF OTTO\nLINE VESPER',
    'Mail to ZOE%40quillmuseum.example, Zo&euml; Quill, O\\u0051uill, Zoë Quill',
    'mysql://oquill:S3cret-in-url@db3.quillmuseum.example/atom, es-north:9200, 192.0.2.77, [2001:db8::77]:80',
    'token 0123456789abcdef0123456789abcdef, password=S3cret-in-log, Vesper Quill Archive, S3cret-of-smtp',
    '\u001b]0;owned\u0007',
  ];
  const lines = messages.map((message) => `[info] [2020-03-04 13:05:01] Job ${id} "${name}": ${message}\n`);
  await site.query('UPDATE job SET output = ? WHERE id = ?', [lines.join(''), id]);
}

const report = (...args: string[]) => runAtomctl(['report', ...args], {env});

/** The parts that the text has, in any case and with line breaks or without. */
function partsIn(text: string, parts: readonly string[]): string[] {
  const readings = [text, text.replaceAll('\n', ''), text.replaceAll('\n', ' '), text.normalize('NFC')];
  return parts.filter((part) => readings.some((one) => one.toLowerCase().includes(part.toLowerCase())));
}

test('a report on a site full of names and secrets has all of its parts and none of them; it replaces a link, with --force only', async () => {
  const [path, target] = [join(scratch, 'report.txt'), join(scratch, 'target.txt')];
  writeFileSync(target, 'mine');
  symlinkSync(target, path);
  const refused = await report(path);
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--force')]);
  const {code, stdout, stderr} = await report(path, '--force');
  expect([code, stderr]).toEqual([0, '']);
  // The link is replaced, not followed.
  expect([lstatSync(path).isFile(), lstatSync(path).mode & 0o777]).toEqual([true, 0o600]);
  expect(readFileSync(target, 'utf8')).toBe('mine');
  const text = readFileSync(path, 'utf8');
  expect([...text.matchAll(/^== (.*) ==$/gm)].map(([, title]) => title)).toEqual([
    'Versions',
    'Configuration (atomctl config)',
    'Queue (atomctl queue:status)',
    'Workers (atomctl queue:workers)',
    'Checks (atomctl doctor)',
    'Running jobs',
    "The worker's journal",
  ]);
  expect(text).toMatch(/^atomctl {3}atomctl\/[\s\S]*^AtoM {6}2\.8\.2$[\s\S]*^systemd {3}252 /m);
  expect(text).toMatch(/^PHP {7}(\d+\.\d+\.\d+|not known)/m);
  expect(text).toMatch(/^database {2}\d+\.\d+\.\d+.*MariaDB/m);
  expect(text).toMatch(/^warning +lost-jobs: .*\(arFileImportJob\)/m);
  expect(text).toMatch(/Status: +running, lost: [\s\S]*Why: [\s\S]*User: +user-\d+\n +Object: .*title-\d+/);
  expect(text).toMatch(/\[info\] \[2020-03-04 13:05:01\] Job started\./);
  expect(text).toMatch(/^Parameters: |\] Parameters: \{"file":\{"name":"file-\d+\.csv"/m);
  expect(text).toContain('Imported title-');
  for (const kind of [USERS, HOSTS, TITLES, FILES, SECRETS, [site.prefix, site.databaseName]])
    expect(partsIn(text, kind)).toEqual([]);
  if (!['localhost', 'atom'].includes(hostname())) expect(partsIn(text, [hostname()])).toEqual([]);
  expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(stdout).toMatch(
    /^Written to .*report\.txt:\n {2}versions +\d+ lines\n[\s\S]*\nReplaced: users \d+, hosts \d+/,
  );
  expect(partsIn(stdout, [...USERS, ...TITLES, ...SECRETS])).toEqual([]);
});

test('--with leaves kinds of names, with commas and repetition, but never a secret', async () => {
  const kinds = ['users', 'hosts', 'titles', 'files'];
  const {code, stdout} = await report(
    '-',
    '--with',
    'users,hosts',
    '--with',
    'titles',
    '--with',
    'files',
    '--json',
  );
  expect(code).toBe(0);
  const {report: text, ...document} = expectSchema('report', stdout);
  expect(document).toMatchObject({
    written: null,
    kept: kinds,
    replaced: {users: 0, hosts: 0, titles: 0, files: 0},
  });
  // Of these the texts have other writings.
  const encoded = ['Zoe Quill', 'zoe@quillmuseum.example'];
  const shown = [...USERS, ...HOSTS, ...TITLES, ...FILES].filter((name) => !encoded.includes(name));
  expect(partsIn(text, shown)).toEqual(shown);
  expect(partsIn(text, [...SECRETS, site.prefix])).toEqual([]);
  const wrong = await report('-', '--with', 'passwords');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('users, hosts, titles, files')]);
});

test('what cannot be obtained is one sentence, logs are not shown without the names in them, and the status is 0', async () => {
  tool('journalctl', "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1");
  const away = {
    ATOMCTL_DATABASE_URL: 'mysql://u:S3cret-in-url@127.0.0.1:9/atom',
    ATOMCTL_GEARMAN: '127.0.0.1:9',
  };
  const {code, stdout} = await runAtomctl(['report', '-', '--json'], {env: {...env, ...away}});
  expect(code).toBe(0);
  const {sections, report: text} = expectSchema('report', stdout);
  const missing = sections.filter(({missing}: {missing: string | null}) => missing !== null);
  expect(missing.map(({name}: {name: string}) => name)).toEqual(['workers', 'jobs', 'journal']);
  expect(text).toContain('== Running jobs ==\n\nNot available: ');
  expect(text).toContain('Not available: This user has no permission to read the journal.');
  expect(text).not.toContain('S3cret');
  const unwritten = join(scratch, 'unwritten.txt');
  const wrong = await runAtomctl(['report', unwritten, '--timezone', 'Mars/Base'], {env});
  expect([wrong.code, existsSync(unwritten)]).toEqual([2, false]);
});
