import {fileURLToPath} from 'node:url';
import type {AtomSite} from '../support/site/atom-site.ts';
import {until} from '../support/until.ts';
import {type Contestant, contest, type Figures, moved} from './contest.ts';
import type {Plan} from './measurements.ts';
import {CLEAR} from './peers/queries.ts';
import {atomctl, type Rig, sql} from './rig.ts';
import {type Comparison, compare, count} from './table.ts';

const CLEAR_ALL = 'jobs:clear --no-confirmation';
const TO_CLEAR = 100_000;
const ROW_BY_ROW = 2000;
const LONGEST_REST_MS = 60_000;

export async function measureClears(rig: Rig, {clears}: Plan): Promise<Comparison[]> {
  const figures = await contest(
    {
      atomctl: await clearing(rig, TO_CLEAR, (site) => atomctl(CLEAR_ALL, site)),
      statement: await clearing(rig, TO_CLEAR, (site) => sql(rig, site, CLEAR)),
      archiver: await clearing(rig, TO_CLEAR, (site) => archiver(rig, site)),
    },
    {rounds: clears, warmUps: 0},
  );
  const line = {measurement: `\`jobs:clear\` of ${count(TO_CLEAR)}`, atomctl: figures.atomctl};
  return [
    compare({...line, peerLabel: 'one `DELETE`', peer: figures.statement, target: {ratio: 1.6}}),
    compare({...line, peerLabel: '`pt-archiver`', peer: figures.archiver, target: {ratio: 1}}),
    compare({
      ...line,
      peerLabel: `row by row, from ${count(ROW_BY_ROW)} in proportion`,
      peer: await rowByRow(rig, clears),
      target: {ratio: 0.1},
    }),
  ];
}

/** What TO_CLEAR jobs would take row by row: all but the start of the process grows with the rows. */
async function rowByRow(rig: Rig, rounds: number): Promise<Figures> {
  const {start, rows} = await contest(
    {
      start: atomWay(rig, 'clear', await rig.emptySite()),
      rows: await clearing(rig, ROW_BY_ROW, (site) => atomWay(rig, 'clear', site)),
    },
    {rounds, warmUps: 0},
  );
  const once = start.wallSeconds.median;
  return moved(rows, (seconds) => once + (seconds - once) * (TO_CLEAR / ROW_BY_ROW));
}

const AT_ATOMS_PACE = 10_000;

/** Each beside the way in which AtoM's tasks ask and delete, row after row. */
export async function measureAtomWay(rig: Rig, {rowByRow: rounds}: Plan): Promise<Comparison[]> {
  const site = await rig.site(AT_ATOMS_PACE);
  const figures = await contest(
    {
      list: atomctl('jobs:list --all --no-live', site),
      listPeer: atomWay(rig, 'list', site),
      export: atomctl('jobs:export-csv', site),
      exportPeer: atomWay(rig, 'export', site),
      clear: await clearing(rig, AT_ATOMS_PACE, (empty) => atomctl(CLEAR_ALL, empty)),
      clearPeer: await clearing(rig, AT_ATOMS_PACE, (empty) => atomWay(rig, 'clear', empty)),
    },
    {rounds, warmUps: 0},
  );
  return (['list', 'export', 'clear'] as const).map((task) =>
    compare({
      measurement: `${task} of ${count(AT_ATOMS_PACE)}`,
      atomctl: figures[task],
      peerLabel: "AtoM's way, row by row",
      peer: figures[`${task}Peer`],
      target: {ratio: 0.05},
    }),
  );
}

/** A contestant that finds so many jobs on a site of its own each time, and must leave none. */
async function clearing(
  rig: Rig,
  jobs: number,
  contestant: (site: AtomSite) => Contestant,
): Promise<Contestant> {
  const site = await rig.emptySite();
  return {
    ...contestant(site),
    prepare: async () => {
      await site.seedJobs(jobs);
      const latest = Date.now() + LONGEST_REST_MS;
      await until(async () => Date.now() > latest || (await isAtRest(site)));
    },
    check: async () => {
      const [left] = await site.query<{jobs: number}>('SELECT COUNT(*) AS jobs FROM job');
      if (left?.jobs !== 0) throw new Error(`${left?.jobs} jobs were not cleared.`);
    },
  };
}

/** What one clear has left for the server to purge is not to be the next one's burden. */
async function isAtRest(site: AtomSite): Promise<boolean> {
  const [row] = await site.query<{Value: string}>("SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'");
  return Number(row?.Value) < 100;
}

/** Percona's archiver, in the transactions and bulk deletes that its manual recommends. */
function archiver({socketPath}: Rig, {databaseName}: AtomSite): Contestant {
  return {
    command: 'pt-archiver',
    args: [
      `--source=S=${socketPath},u=root,D=${databaseName},t=object`,
      "--where=class_name = 'QubitJob'",
      ...['--purge', '--bulk-delete', '--limit=1000', '--commit-each', '--primary-key-only'],
      // Else it keeps the newest row, and asks whether its connection's character set suits.
      ...['--no-safe-auto-increment', '--no-check-charset', '--no-version-check'],
    ],
  };
}

function atomWay({socketPath}: Rig, task: string, {databaseName}: AtomSite): Contestant {
  const script = fileURLToPath(new URL('peers/atom-way.mjs', import.meta.url));
  return {command: process.execPath, args: [script, task, socketPath, databaseName]};
}
