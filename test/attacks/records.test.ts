/** Names and reasons that would begin a line, a field or a sample of their own in what programs read. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {
  type AtomSite,
  createScratch,
  createSite,
  type GearmanProcess,
  runAtomctl,
  startGearmand,
  submitBackground,
} from '../support/sandbox.ts';

/** A line of the audit log, a sample, performance data, the end of a label, a row of CSV. */
const FORGED = '","x":1}\n{"user":"root","what":"nothing"}\natomctl_up 0 # " } | \'load\'=1;;;0\r\n1,2,3';

let gearmand: GearmanProcess;
let site: AtomSite;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  const flat = FORGED.replace(/[\r\n]/g, '\u000b');
  await submitBackground(gearmand.endpoint, site.functionName(flat), 'key', '{}');
  await submitBackground(gearmand.endpoint, `other-site ${flat}`, 'key', '{}');
});

afterAll(async () => {
  await site?.drop();
  await gearmand?.kill();
});

test('the audit log has one line for each change, with the names in it', async () => {
  const file = join(createScratch('records'), 'audit.log');
  const id = await site.insertJob({name: FORGED, status: 'running'});
  const args = ['jobs:kill', `${id}`, '-y', '--force', '--reason', FORGED, '--audit-log', file];
  await runAtomctl(args, {env: {...site.env, SUDO_USER: FORGED}});
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({command: 'jobs:kill', what: {job: id, reason: FORGED}});
});

test('metrics have samples of atomctl alone, and the plugin line is one line with its own figures', async () => {
  const metrics = await runAtomctl(['queue:status', '--all-functions', '--prometheus'], {env: site.env});
  const lines = metrics.stdout.trimEnd().split('\n');
  const typed = lines.flatMap((line) => /^# TYPE (\w+) /.exec(line)?.[1] ?? []);
  expect(typed).toContain('gearman_up');
  for (const line of lines.filter((each) => !/^# (HELP|TYPE) /.test(each))) {
    expect(line).toMatch(/^\w+(\{(\w+="([^"\\]|\\.)*",?)*\})? [\d.]+$/);
    expect(typed).toContain(/^\w+/.exec(line)![0]);
  }
  expect(metrics.stdout).toContain('nothing');
  const nagios = await runAtomctl(['queue:status', '--all-functions', '--nagios'], {env: site.env});
  expect(nagios.stdout.split('\n')).toHaveLength(2);
  const [, figures = '', more] = nagios.stdout.split('|');
  expect(more).toBeUndefined();
  expect(figures.trim()).toMatch(/^('[^'=]+'=\S+ ?)*$/);
});

test('a warning is one line, whatever the path is that it quotes', async () => {
  await site.insertJob({status: 'completed', downloadPath: 'downloads/jobs/../x\nWarning: forged'});
  const args = ['jobs:clear', '--inactive', '--delete-downloads', '--keep-queue', '-y'];
  const {stderr} = await runAtomctl(args, {env: site.env});
  expect(stderr).toContain(
    'Warning: The download file downloads/jobs/../x Warning: forged was not deleted.\n',
  );
  expect(stderr).not.toMatch(/^Warning: forged/m);
});
