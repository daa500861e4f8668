import {chmod, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {collectJournal} from '../../../src/systemd/journal.ts';
import {systemctl} from '../../../src/systemd/systemctl.ts';

const path = process.env.PATH;
let tools: string;

beforeEach(async () => {
  tools = await mkdtemp(join(tmpdir(), 'tools-'));
  process.env.PATH = `${tools}:${path}`;
});

afterEach(async () => {
  process.env.PATH = path;
  await rm(tools, {recursive: true});
});

/** A tool that prints what the real one printed; `$*` holds its arguments. */
async function tool(name: string, script: string): Promise<void> {
  await writeFile(join(tools, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(tools, name), 0o755);
}

const manager = (options: {sudo?: boolean; scope?: 'user' | 'system'} = {}) =>
  systemctl({scope: 'system', sudo: false, readSeconds: 1, changeSeconds: 1, ...options});

test.each([
  [
    "System has not been booted with systemd as init system (PID 1). Can't operate.",
    {code: 'SYSTEMD_UNAVAILABLE', exitStatus: 3, hint: expect.stringContaining('worker:run')},
  ],
  ['Failed to connect to bus: Host is down', {code: 'SYSTEMD_UNAVAILABLE'}],
  [
    'Failed to restart a.service: Interactive authentication required.',
    {code: 'SYSTEMD_REFUSED', exitStatus: 1, hint: 'Run "sudo systemctl restart a.service", or give --sudo.'},
  ],
  ['Failed to restart a.service: Access denied', {code: 'SYSTEMD_REFUSED'}],
  ['sudo: a password is required', {code: 'SYSTEMD_REFUSED'}],
  ['Failed to restart a.service: Unit a.service not found.', {code: 'NO_SUCH_UNIT'}],
  [
    'Job for a.service failed because of unavailable resources.\nSee "systemctl status a.service"',
    {
      code: 'FAILED',
      message:
        '"systemctl restart a.service" failed: Job for a.service failed because of unavailable resources.',
    },
  ],
])('what systemctl says when it fails: %s', async (stderr, error) => {
  await tool('systemctl', `cat >&2 <<'END'\n${stderr}\nEND\nexit 1`);
  await expect(manager().change('restart', 'a.service')).rejects.toMatchObject(error);
});

test('a refused sudo is not recommended again, nor is one that is not installed', async () => {
  await tool('systemctl', 'exit 0');
  await tool('sudo', 'echo "sudo: a password is required" >&2; exit 1');
  const refused = manager({sudo: true}).change('restart', 'a.service');
  await expect(refused).rejects.toMatchObject({
    code: 'SYSTEMD_REFUSED',
    hint: 'sudo was refused: run it as root, or allow this user to run "systemctl restart a.service" in sudoers.',
  });
  process.env.PATH = tools;
  await rm(join(tools, 'sudo'));
  await expect(manager({sudo: true}).change('restart', 'a.service')).rejects.toMatchObject({
    hint: 'Run it as root, without --sudo.',
  });
});

test('without a systemd of the user, and without systemctl at all', async () => {
  await tool('systemctl', 'echo "Failed to connect to bus: No medium found" >&2; exit 1');
  await expect(manager({scope: 'user'}).show(['a.service'])).rejects.toMatchObject({
    code: 'SYSTEMD_UNAVAILABLE',
    message: 'No systemd manager runs for this user.',
  });
  process.env.PATH = join(tools, 'nothing-here');
  await expect(manager().services()).rejects.toMatchObject({code: 'SYSTEMD_UNAVAILABLE', exitStatus: 3});
  await expect(collectJournal({scope: 'system', units: []})).rejects.toMatchObject({
    code: 'SYSTEMD_UNAVAILABLE',
  });
});

test('a systemctl that does not answer fails after the deadline', async () => {
  await tool('systemctl', 'exec sleep 60');
  const slow = systemctl({scope: 'system', sudo: false, readSeconds: 0.05, changeSeconds: 0.05});
  await expect(slow.services()).rejects.toMatchObject({code: 'FAILED'});
});

test('sudo comes only before commands that change something', async () => {
  await tool('sudo', `echo "sudo $*" >>${'$0'}.log; exec "$@"`);
  await tool('systemctl', `echo "systemctl $*" >>${'$0'}.log; echo Id=a.service`);
  await manager({sudo: true}).show(['a.service']);
  await manager({sudo: true}).change('stop', 'a.service');
  const {readFile} = await import('node:fs/promises');
  expect(await readFile(join(tools, 'sudo.log'), 'utf8')).toBe(
    'sudo systemctl --no-ask-password stop -- a.service\n',
  );
  expect(await readFile(join(tools, 'systemctl.log'), 'utf8')).toMatch(
    /^systemctl show .*\nsystemctl --no-ask-password stop/,
  );
});

test('the journal: bytes that are not text, repeated fields, other text between the lines', async () => {
  const entry = (fields: object) => JSON.stringify({__REALTIME_TIMESTAMP: '1795436955000000', ...fields});
  await tool(
    'journalctl',
    `cat <<'END'
${entry({_SYSTEMD_UNIT: 'a.service', _PID: '7', MESSAGE: [72, 105, 255]})}
not json
${entry({UNIT: 'a.service', _SYSTEMD_UNIT: 'init.scope', _PID: '1', MESSAGE: ['Started', 'twice'], MESSAGE_ID: 'x'})}
${entry({MESSAGE: null})}
END`,
  );
  expect(await collectJournal({scope: 'system', units: ['a.service']})).toEqual([
    {at: new Date(1_795_436_955_000), unit: 'a.service', pid: 7, message: 'Hi\ufffd', messageId: null},
    {at: new Date(1_795_436_955_000), unit: 'a.service', pid: 1, message: 'Started', messageId: 'x'},
    {at: new Date(1_795_436_955_000), unit: null, pid: null, message: '', messageId: null},
  ]);
});

test('a journal that may not be read', async () => {
  await tool(
    'journalctl',
    'echo "No journal files were opened due to insufficient permissions." >&2; exit 1',
  );
  await expect(collectJournal({scope: 'system', units: ['a.service']})).rejects.toMatchObject({
    code: 'SYSTEMD_REFUSED',
    hint: expect.stringContaining('systemd-journal'),
  });
});

test('the tools print English and UTC, and inherit the rest of the environment', async () => {
  process.env.ATOMCTL_TEST = 'inherited';
  await tool('systemctl', 'echo "Id=$LC_ALL $TZ [$SYSTEMD_PAGER] $ATOMCTL_TEST"');
  try {
    expect(await manager().services()).toMatchObject([{name: 'C UTC [] inherited'}]);
  } finally {
    delete process.env.ATOMCTL_TEST;
  }
});

test("events of a user's units are only those that the user's own processes wrote", async () => {
  await tool('journalctl', `echo "$*" >${'$0'}.log; echo '{}'`);
  await collectJournal({scope: 'user', units: ['a.service'], eventsOnly: true});
  const {readFile} = await import('node:fs/promises');
  expect(await readFile(join(tools, 'journalctl.log'), 'utf8')).toContain(
    `_UID=${process.geteuid?.()} _SYSTEMD_USER_UNIT=init.scope USER_UNIT=a.service`,
  );
});
