import {existsSync} from 'node:fs';
import {type Contestant, contest, moved} from './contest.ts';
import {EXPORT, LIST, STATISTICS} from './peers/queries.ts';
import {atomctl, type Rig, sql} from './rig.ts';
import {type Comparison, compare, count, duration} from './table.ts';

export interface Plan {
  /** Of what takes well under a second; histories have three. */
  rounds: number;
  /** Of what deletes a long history: each begins with new rows, and may take minutes. */
  clears: number;
  /** Of what asks and deletes row by row, whose pace varies most: each request waits for the disk or a wake-up. */
  rowByRow: number;
  /** How many jobs a long history has. */
  most: number;
}

const LONG = {rounds: 3, warmUps: 1};

/** `node -e 0`: below this no program of Node's can be. */
const NODE: Contestant = {command: process.execPath, args: ['-e', '0']};
const NODE_LABEL = '`node -e 0`';
const GEARADMIN = '/usr/bin/gearadmin';

/** The budget of a start, in times of a bare Node. */
const BUDGET = {version: 3, queue: 3.6, list: 4.5};

export async function measureStarts(rig: Rig, {rounds}: Plan): Promise<Comparison[]> {
  const {prefix} = await rig.site(50);
  const many = await rig.site(100_000);
  const [host, port] = rig.gearman.split(':');
  const hasGearadmin = existsSync(GEARADMIN);
  if (!hasGearadmin) console.error('Left out: gearadmin --status, since gearadmin is not installed.');
  const figures = await contest(
    {
      node: NODE,
      version: atomctl('--version'),
      queue: atomctl(`queue:status --no-database --gearman ${rig.gearman} --function-prefix ${prefix}`),
      list: atomctl('jobs:list --limit 20', many),
      query: sql(rig, many, LIST),
      noQuery: sql(rig, many, 'SELECT 1'),
      gearadmin: hasGearadmin
        ? {command: GEARADMIN, args: ['--status', `--host=${host}`, `--port=${port}`]}
        : NODE,
    },
    {rounds: rounds * 3, warmUps: 1},
  );
  const query = Math.max(0, figures.query.wallSeconds.median - figures.noQuery.wallSeconds.median);
  const queue = {measurement: '`queue:status --no-database`', atomctl: figures.queue};
  const node = {peerLabel: NODE_LABEL, peer: figures.node};
  return [
    compare({
      ...node,
      measurement: '`--version`',
      atomctl: figures.version,
      target: {ratio: BUDGET.version},
    }),
    compare({...node, ...queue, target: {ratio: BUDGET.queue}}),
    compare({
      ...node,
      measurement: `\`jobs:list --limit 20\` of 100,000, less the query's own ${duration(query)}`,
      atomctl: moved(figures.list, (seconds) => seconds - query),
      target: {ratio: BUDGET.list},
    }),
    ...(hasGearadmin
      ? [compare({...queue, peerLabel: '`gearadmin --status`', peer: figures.gearadmin})]
      : []),
  ];
}

export async function measureLists(rig: Rig, {rounds, most}: Plan): Promise<Comparison[]> {
  const [few, long] = [await rig.site(50), await rig.site(most)];
  const waiting = await rig.waitingSite(200);
  const newest = 'jobs:list --limit 50 --no-live';
  const figures = await contest(
    {
      few: atomctl(newest, few),
      long: atomctl(newest, long),
      live: atomctl('jobs:list --limit 200', waiting),
      plain: atomctl('jobs:list --limit 200 --no-live', waiting),
    },
    {rounds, warmUps: 1},
  );
  const liveSeconds = figures.live.wallSeconds.median - figures.plain.wallSeconds.median;
  return [
    compare({
      measurement: `the newest 50 of ${count(most)}`,
      atomctl: figures.long,
      peerLabel: 'the newest 50 of 50',
      peer: figures.few,
      target: {ratio: 1.25},
    }),
    compare({
      measurement: `200 running jobs with their live state (${duration(liveSeconds)} more)`,
      atomctl: figures.live,
      peerLabel: '`--no-live`',
      peer: figures.plain,
    }),
  ];
}

export async function measureHistories(rig: Rig, {most}: Plan): Promise<Comparison[]> {
  const lines: Comparison[] = [];
  for (const jobs of new Set([1000, 100_000, most])) {
    const site = await rig.site(jobs);
    const figures = await contest(
      {
        export: atomctl('jobs:export-csv', site),
        exportPeer: sql(rig, site, EXPORT),
        stats: atomctl('jobs:stats', site),
        statsPeer: sql(rig, site, STATISTICS),
      },
      LONG,
    );
    lines.push(
      compare({
        measurement: `\`jobs:export-csv\` of ${count(jobs)}`,
        atomctl: figures.export,
        peerLabel: '`mariadb --batch --quick`',
        peer: figures.exportPeer,
        // The start of a process is most of what a short history takes.
        ...(jobs > 1000 && {target: {ratio: 1.5, peakMib: 160}}),
      }),
      compare({
        measurement: `\`jobs:stats\` of ${count(jobs)}`,
        atomctl: figures.stats,
        peerLabel: 'counts in plain SQL',
        peer: figures.statsPeer,
      }),
    );
  }
  return lines;
}
