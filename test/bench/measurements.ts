import {existsSync} from 'node:fs';
import {EXECUTABLE} from '../support/atomctl/run-atomctl.ts';
import type {AtomSite} from '../support/sandbox.ts';
import {type Contestant, contest, moved} from './contest.ts';
import {EXPORT, LIST, STATISTICS} from './peers/queries.ts';
import {atomctl, type Rig, sql} from './rig.ts';
import {type Comparison, compare, count, duration, type Target} from './table.ts';

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

/** What is measured, and the budgets of its starts in times of a bare Node. */
interface Build {
  /** The words that start it; those of the npm package otherwise. */
  words?: readonly string[];
  label: string;
  version: Target;
  queue: Target;
  list: Target;
}

const NPM_PACKAGE: Build = {label: '', version: {ratio: 3}, queue: {ratio: 3.6}, list: {ratio: 4.5}};

function executable(path: string): Build {
  const label = ', executable';
  return {words: [path], label, version: {ratio: 2.2, peakMib: 90}, queue: {ratio: 2.8}, list: {ratio: 3.6}};
}

export async function measureStarts(rig: Rig, {rounds}: Plan): Promise<Comparison[]> {
  if (!EXECUTABLE) console.error('Left out: the executable, since ATOMCTL_EXECUTABLE does not name it.');
  const builds = EXECUTABLE ? [NPM_PACKAGE, executable(EXECUTABLE)] : [NPM_PACKAGE];
  const {prefix} = await rig.site(50);
  const many = await rig.site(100_000);
  const [host, port] = rig.gearman.split(':');
  const hasGearadmin = existsSync(GEARADMIN);
  if (!hasGearadmin) console.error('Left out: gearadmin --status, since gearadmin is not installed.');
  const queue = `queue:status --no-database --gearman ${rig.gearman} --function-prefix ${prefix}`;
  const figures = await contest<string>(
    {
      node: NODE,
      ...Object.fromEntries(
        builds.flatMap(({words, label}) => [
          [`version${label}`, atomctl('--version', undefined, words)],
          [`queue${label}`, atomctl(queue, undefined, words)],
          [`list${label}`, atomctl('jobs:list --limit 20', many, words)],
        ]),
      ),
      flags: completion('jobs:list --st', many),
      ids: completion('jobs:show 1', many),
      query: sql(rig, many, LIST),
      noQuery: sql(rig, many, 'SELECT 1'),
      gearadmin: hasGearadmin
        ? {command: GEARADMIN, args: ['--status', `--host=${host}`, `--port=${port}`]}
        : NODE,
    },
    {rounds: rounds * 3, warmUps: 1},
  );
  const median = (name: string) => figures[name]!.wallSeconds.median;
  const query = Math.max(0, median('query') - median('noQuery'));
  const node = {peerLabel: NODE_LABEL, peer: figures.node!};
  const lines = builds.flatMap(({label, ...build}) => [
    compare({
      ...node,
      measurement: `\`--version\`${label}`,
      atomctl: figures[`version${label}`]!,
      target: build.version,
    }),
    compare({
      ...node,
      measurement: `\`queue:status --no-database\`${label}`,
      atomctl: figures[`queue${label}`]!,
      target: build.queue,
    }),
    compare({
      ...node,
      measurement: `\`jobs:list --limit 20\` of 100,000, less the query's own ${duration(query)}${label}`,
      atomctl: moved(figures[`list${label}`]!, (seconds) => seconds - query),
      target: build.list,
    }),
  ]);
  const measurement = '`queue:status --no-database`';
  const gearadmin = {
    measurement,
    atomctl: figures.queue!,
    peerLabel: '`gearadmin --status`',
    peer: figures.gearadmin!,
  };
  const completions = [
    compare({...node, measurement: 'completion of a flag', atomctl: figures.flags!}),
    compare({...node, measurement: 'completion of an id, of 100,000 jobs', atomctl: figures.ids!}),
  ];
  return [...lines, ...completions, ...(hasGearadmin ? [compare(gearadmin)] : [])];
}

/** What bash asks for when a user presses Tab at the end of this line. */
function completion(line: string, site: AtomSite): Contestant {
  const word = line.slice(line.lastIndexOf(' ') + 1);
  const {args, ...contestant} = atomctl('completion:answer --bash --', site);
  return {...contestant, args: [...args, word, `atomctl ${line}`]};
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
        ...(jobs === 1_000_000 && {target: {ratio: 0.7}}),
      }),
    );
  }
  return lines;
}
