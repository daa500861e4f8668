import {fileURLToPath} from 'node:url';
import {connectGearman, TYPE} from '../support/servers/gearman-wire.mjs';
import {type GearmanProcess, startGearmand} from '../support/servers/gearmand.ts';
import type {AtomSite} from '../support/site/atom-site.ts';
import {type Contestant, contest} from './contest.ts';
import type {Plan} from './measurements.ts';
import {atomctl, type Rig} from './rig.ts';
import {type Comparison, compare, count} from './table.ts';

const WAITING = 10_000;
const NAMES = ['arFindingAidJob', 'arUpdatePublicationStatusJob'];
const TAKE_ALL = fileURLToPath(new URL('peers/take-all.mjs', import.meta.url));

/**
 * A queue of thousands of jobs that never began: one is killed, a class is killed, a class is cleared. Each site has a server of
 * its own: jobs under a prefix that nobody knows would have to be looked at too.
 */
export async function measureLongQueue(rig: Rig, plan: Plan): Promise<Comparison[]> {
  try {
    return await measure(rig, plan);
  } finally {
    await Promise.all(gearmands.splice(0).map((gearmand) => gearmand.kill()));
  }
}

const gearmands: GearmanProcess[] = [];

async function measure(rig: Rig, {clears: rounds}: Plan): Promise<Comparison[]> {
  const [killed, plain] = [await waitingSite(rig), await waitingSite(rig)];
  const one = await contest({atomctl: killingOne(killed), peer: takingAll(plain)}, {rounds, warmUps: 0});
  const all = await contest(
    {
      killing: clearing(rig, 'jobs:kill --all-matching --name arFindingAidJob --yes'),
      clear: clearing(rig, 'jobs:clear --name arFindingAidJob --yes'),
      clearRows: clearing(rig, 'jobs:clear --name arFindingAidJob --yes --keep-queue'),
    },
    {rounds, warmUps: 0},
  );
  const of = `of ${count(WAITING)} that wait`;
  const takeAll = {peerLabel: 'a worker that takes each once', peer: one.peer};
  return [
    compare({measurement: `\`jobs:kill\` of one in the middle ${of}`, atomctl: one.atomctl, ...takeAll}),
    compare({measurement: `\`jobs:kill\` of a class, half ${of}`, atomctl: all.killing, ...takeAll}),
    compare({
      measurement: `\`jobs:clear\` by name, half ${of}`,
      atomctl: all.clear,
      peerLabel: 'the same with `--keep-queue`',
      peer: all.clearRows,
      target: {ratio: 1.3},
    }),
  ];
}

/** A site with rows of two classes in turn that wait in Gearman in the order of their ids. */
async function waitingSite(rig: Rig): Promise<AtomSite> {
  const gearmand = await startGearmand();
  gearmands.push(gearmand);
  const site = await rig.emptySite(gearmand.endpoint);
  await site.seedJobs(WAITING);
  await site.query(
    'UPDATE job SET status_id = 183, completed_at = NULL, output = NULL, name = ELT(1 + id % 2, ?, ?)',
    NAMES,
  );
  const rows = await site.query<{id: number; name: string; object_id: number | null}>(
    'SELECT id, name, object_id FROM job ORDER BY id',
  );
  const gearman = await connectGearman(gearmand.endpoint);
  for (const {id, name, object_id: objectId} of rows) {
    const payload = JSON.stringify({name, ...(objectId === null ? {} : {objectId}), id: String(id)});
    gearman.send(TYPE.SUBMIT_JOB_BG, site.functionName(name), `waiting-${id}`, payload);
  }
  for (const _ of rows) await gearman.receive();
  gearman.close();
  return site;
}

/** Another job of the middle in each round. */
function killingOne(site: AtomSite): Contestant {
  const command = atomctl('jobs:kill --yes', site);
  let round = 0;
  const contestant: Contestant = {
    ...command,
    async prepare() {
      const [row] = await site.query<{id: number}>(
        `SELECT id FROM job ORDER BY id LIMIT 1 OFFSET ${WAITING / 2 + round}`,
      );
      contestant.args = [...command.args, String(row!.id)];
      round += 1;
    },
    check: () => requireRunning(site, WAITING - round),
  };
  return contestant;
}

function clearing(rig: Rig, command: string): Contestant {
  const contestant: Contestant = {
    ...atomctl(command),
    async prepare() {
      const site = await waitingSite(rig);
      contestant.env = site.env;
      contestant.check = () => requireRunning(site, WAITING / 2);
    },
  };
  return contestant;
}

async function requireRunning(site: AtomSite, expected: number): Promise<void> {
  const [row] = await site.query<{jobs: number}>('SELECT COUNT(*) AS jobs FROM job WHERE status_id = 183');
  if (Number(row!.jobs) !== expected) throw new Error(`${row!.jobs} jobs run, not ${expected}.`);
}

function takingAll(site: AtomSite): Contestant {
  const functions = NAMES.map((name) => site.functionName(name));
  return {command: process.execPath, args: [TAKE_ALL, site.gearman[0]!, ...functions], env: {}};
}
