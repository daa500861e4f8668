import {expect, test} from 'vitest';
import {type ServerLock, takeLock} from '../../../../src/gearman/lock.ts';
import {PACKET, request} from '../../../../src/gearman/packet.ts';
import {
  connectWorker,
  grabRequests,
  type WorkerConnection,
} from '../../../../src/gearman/worker-connection.ts';
import {PROBE_LOCK} from '../../../../src/queue/function-name.ts';
import {newProbeId} from '../../../../src/queue/probe/probe-id.ts';
import {later, live} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {until} from '../../../support/sandbox.ts';
import {crash, insertLost} from '../../../support/site/queue-site.ts';

const rig = useLiveRig();
const TIMEOUT = {timeoutSeconds: 2};

/** A client that takes what waits in a queue, under the id that a probe of this age has. */
async function holdAs(clientId: string): Promise<{holder: WorkerConnection; release: () => Promise<void>}> {
  let lock: ServerLock | null = null;
  // What a killed process left of the lock may use up the first attempt.
  while (lock === null) lock = await takeLock(rig.gearmand.address, PROBE_LOCK, {...TIMEOUT, clientId});
  const {release: releaseLock} = lock;
  const holder = await connectWorker(rig.gearmand.address, {...TIMEOUT, clientId});
  await holder.grab([rig.site.functionName('arFindingAidJob')]);
  const release = async () => {
    await holder.giveBack();
    await releaseLock();
    holder.close();
  };
  return {holder, release};
}

async function executeAndCrash() {
  const job = await rig.execute();
  await crash(job.worker, job.unique, rig.at.server);
  return job;
}

test('what another atomctl holds is never called executing, and its end is waited for', async () => {
  const {id} = await executeAndCrash();
  const lost = await insertLost(rig.site, '{"name":"arFindingAidJob","id":"7"}');
  const {release} = await holdAs(newProbeId(Date.now()));
  const {states, reasons} = await live(rig.at);
  expect(states).toEqual({[id]: '?', [lost]: '?'});
  expect([reasons[id], reasons[lost]]).toEqual([
    `Another atomctl holds jobs of ${rig.gearmand.endpoint} and may hold this one.`,
    `Another atomctl holds jobs of ${rig.gearmand.endpoint}; try again in a moment.`,
  ]);
  const waiting = live(rig.at);
  await release();
  expect((await waiting).states).toEqual({[id]: 'queued', [lost]: 'lost'});
});

test('the lock of a process that was killed stops nothing, and the next process gets it', async () => {
  const {address} = rig.gearmand;
  const lost = await insertLost(rig.site);
  const killed = await connectWorker(address, {...TIMEOUT, clientId: newProbeId(Date.now())});
  const submit = request(PACKET.SUBMIT_JOB, PROBE_LOCK, PROBE_LOCK, '');
  await killed.exchange([submit, ...grabRequests([PROBE_LOCK])], 'GRAB_JOB_UNIQ');
  killed.close();
  const lockRow = async () => (await rig.at.server.status()).find((row) => row.function === PROBE_LOCK);
  await until(async () => (await lockRow())?.running === 0);
  expect((await lockRow())!.total).toBe(1);
  expect((await live(rig.at)).states).toEqual({[lost]: 'lost'});
  const {release} = await holdAs(newProbeId(Date.now()));
  expect((await live(rig.at)).states).toEqual({[lost]: '?'});
  await release();
});

test('a client under the id of a probe that holds a job for longer than a probe lasts makes only that queue uncertain (T22)', async () => {
  const {id} = await executeAndCrash();
  const lost = await insertLost(rig.site);
  const move = await rig.execute('arObjectMoveJob');
  const {release} = await holdAs(newProbeId(Date.now()));
  const {states, reasons} = await live(rig.at, {now: later(3)});
  await release();
  expect(states).toEqual({[id]: '?', [lost]: 'lost', [move.id]: 'executing'});
  expect(reasons[id]).toMatch(
    new RegExp(
      `^The client atomctl-probe-\\S+ from 127\\.0\\.0\\.1 holds jobs of ${rig.gearmand.endpoint} and may hold this one\\.$`,
    ),
  );
});

test('an id that only begins as that of atomctl does not stop everything (T22)', async () => {
  const move = await rig.execute('arObjectMoveJob');
  const never = await insertLost(rig.site);
  const {release} = await holdAs('atomctl-other');
  const {states} = await live(rig.at);
  await release();
  expect(states).toEqual({[move.id]: 'executing', [never]: 'lost'});
});
