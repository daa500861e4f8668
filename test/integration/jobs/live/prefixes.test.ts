import {cp} from 'node:fs/promises';
import {expect, test} from 'vitest';
import type {SitePrefixes} from '../../../../src/queue/snapshot.ts';
import {later, live, realHost} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {prefixesOf} from '../../../support/quiet-host.ts';
import {startWorker, submitBackground, submitJob} from '../../../support/sandbox.ts';
import {functionPrefix} from '../../../support/site/atom-root.ts';
import {crash, insertLost} from '../../../support/site/queue-site.ts';

const rig = useLiveRig();
const OTHER = 'e'.repeat(32);
const PARAMETERS = '{"name":"arFindingAidJob","id":"7"}';

/** The link to the root has been swapped: from now on the site has the prefix of a copy of its root. */
async function deploy(): Promise<{root: string; prefixes: SitePrefixes}> {
  const root = `${rig.site.root}-next`;
  await cp(rig.site.root, root, {recursive: true});
  return {root, prefixes: prefixesOf(functionPrefix(root, null))};
}

test('a deploy moved the root: what executes and waits under the old prefix is found there (T1)', async () => {
  const crashed = await rig.execute();
  await crash(crashed.worker, crashed.unique, rig.at.server);
  // The queued one first, then one that never began, both while no worker takes them.
  const waiting = await submitJob(rig.site);
  const executing = await rig.execute('arObjectMoveJob');
  const {root, prefixes} = await deploy();
  const current = await startWorker({...rig.site, root});
  const never = await insertLost(rig.site);
  const options = {prefixes, host: realHost(rig.site, [rig.site.root, root])};
  const {states, reasons} = await live(rig.at, options);
  expect(states).toEqual({
    [crashed.id]: 'queued',
    [waiting.id]: 'queued?',
    [executing.id]: 'executing',
    [never]: 'queued?',
  });
  expect([reasons[executing.id], reasons[crashed.id]]).toEqual([
    `${rig.gearmand.endpoint} assigned it to a worker under another function prefix (${rig.site.prefix}).`,
    expect.stringMatching(
      `^It waits on ${rig.gearmand.endpoint} under another function prefix \\(${rig.site.prefix}\\), begun at \\S+ \\S+: it will run again from its start\\.$`,
    ),
  ]);
  const probed = await live(rig.at, {...options, probe: true});
  expect(probed.states).toEqual({
    [crashed.id]: 'queued',
    [waiting.id]: 'queued',
    [executing.id]: 'executing',
    [never]: 'lost',
  });
  expect(probed.reasons[waiting.id]).toBe(
    `Its payload was seen waiting under another function prefix (${rig.site.prefix}).`,
  );
  current.killGroup();
  await current.ended;
});

test('a deploy moved the root and gearmand was restarted: the worker of the old root may be working on it', async () => {
  const {id, worker} = await rig.execute();
  const {root, prefixes} = await deploy();
  await rig.restartGearmand();
  const options = {prefixes, host: realHost(rig.site, [rig.site.root, root]), now: later(60)};
  const {states, reasons} = await live(rig.at, options);
  expect([states, reasons[id]]).toEqual([
    {[id]: 'executing?'},
    `Worker process ${worker.pid} may be running it, because it is not connected to every Gearman server.`,
  ]);
  await worker.kill();
  expect((await live(rig.at, options)).states).toEqual({[id]: 'lost'});
});

test("the prefix of AtoM's compiled cache is the site's too", async () => {
  const {id} = await rig.execute();
  const {reasons} = await live(rig.at, {prefixes: {...prefixesOf(OTHER), also: [rig.site.prefix]}});
  expect(reasons[id]).toBe(`${rig.gearmand.endpoint} assigned it to a worker.`);
});

test("jobs under another site's prefix leave no room for this site's", async () => {
  const never = await insertLost(rig.site);
  await submitBackground(rig.gearmand.endpoint, `${OTHER}-arFindingAidJob`, 'key', '{"id":"1"}');
  expect((await live(rig.at)).states).toEqual({[never]: 'queued?'});
  expect((await live(rig.at, {probe: true})).states).toEqual({[never]: 'lost'});
  const foreign = {...prefixesOf(rig.site.prefix), foreign: async () => new Set([OTHER])};
  expect((await live(rig.at, {prefixes: foreign})).states).toEqual({[never]: 'lost'});
});

test('a prefix that is not known: keys are asked for under every prefix', async () => {
  const {id} = await rig.execute();
  const begun = await insertLost(rig.site, PARAMETERS);
  const {states} = await live(rig.at, {prefixes: prefixesOf(null), host: realHost(rig.site)});
  expect(states).toEqual({[id]: 'executing', [begun]: 'lost'});
});

test("a site without a prefix, beside atomctl's own functions", async () => {
  const id = await rig.site.insertJob({name: 'arFindingAidJob', status: 'running'});
  const prefixes = prefixesOf('');
  await submitBackground(rig.gearmand.endpoint, 'arFindingAidJob', 'own', JSON.stringify({id}));
  expect((await live(rig.at, {prefixes})).states).toEqual({[id]: 'queued?'});
  expect((await live(rig.at, {prefixes, probe: true})).states).toEqual({[id]: 'queued'});
  await rig.at.server.dropFunction('arFindingAidJob');
  expect((await live(rig.at, {prefixes})).states).toEqual({[id]: 'lost'});
});
