import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {connectDatabase} from '../../../src/mysql/connect.ts';
import {type NamedLock, takeNamedLock} from '../../../src/mysql/named-lock.ts';
import {revealed} from '../../support/revealed.ts';
import {type AtomSite, createSite, until} from '../../support/sandbox.ts';

let site: AtomSite;

beforeAll(async () => {
  site = await createSite();
});

afterAll(() => site?.drop());

function take(name: string, holder: string): Promise<NamedLock> {
  return takeNamedLock(site.config, {name, holder, timeoutSeconds: 5});
}

async function release(lock: NamedLock): Promise<void> {
  if (!lock.taken) throw new Error('The lock was not taken.');
  await lock.release();
}

test('one process has it, the others get its holder, and it is free at once after the release', async () => {
  const lock = await take('mine', `clear by o'neil\u001b on "web1"`);
  expect(lock.taken).toBe(true);
  const others = await Promise.all(Array.from({length: 5}, () => take('mine', 'another')));
  expect(others).toEqual(others.map(() => ({taken: false, holder: 'clear by o neil  on  web1 '})));
  const elsewhere = await take('another name', 'x');
  await release(elsewhere);
  await release(lock);
  await release(await take('mine', 'the next'));
});

test('a holder without a text is named by its connection', async () => {
  const silent = await connectDatabase(site.config, {timeoutSeconds: 5});
  await silent.query("SELECT GET_LOCK('silent', 0)");
  const lock = await take('silent', 'x');
  expect(lock).toEqual({taken: false, holder: expect.stringMatching(/^connection \d+ of atom from /)});
  await silent.close();
});

test("a dead holder's lock is taken over", async () => {
  const script = `
    import {Secret} from '${fileURLToPath(new URL('../../../src/secret.ts', import.meta.url))}';
    import {takeNamedLock} from '${fileURLToPath(new URL('../../../src/mysql/named-lock.ts', import.meta.url))}';
    const {password, ...config} = ${JSON.stringify(revealed(site.config))};
    await takeNamedLock({...config, password: new Secret(password)}, {name: 'dying', holder: 'the dying', timeoutSeconds: 5});
    console.log('held');`;
  const loader = fileURLToPath(new URL('../../support/typescript.mjs', import.meta.url));
  const holder = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', script]);
  await once(holder.stdout, 'data');
  expect(await take('dying', 'x')).toEqual({taken: false, holder: 'the dying'});
  holder.kill('SIGKILL');
  await until(async () => {
    const lock = await take('dying', 'the heir');
    if (lock.taken) await lock.release();
    return lock.taken;
  });
});
