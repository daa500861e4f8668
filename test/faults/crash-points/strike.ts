import {once} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import {type StartedAtomctl, startAtomctl} from '../../support/atomctl/start-atomctl.ts';
import {type Act, labelled} from './acts.ts';
import {type Judged, judge} from './judge.ts';
import {readsOnly, type Server} from './messages.ts';
import type {Stage} from './scene.ts';
import type {Moment, Step} from './watched-servers.ts';

export const FAULTS = ['SIGKILL', 'MySQL lost', 'Gearman lost', 'SIGINT', 'SIGINT twice'] as const;
export type Fault = (typeof FAULTS)[number];

/** One cell of the table: a fault at a step. A connection that is lost with the answer has done what was asked. */
export interface CrashPoint {
  step: Step;
  fault: Fault;
  at: Moment['at'];
}

export interface Played extends Judged {
  act: Act;
  point: CrashPoint;
  /** Whether the command came to this step at all. */
  reached: boolean;
  /** Functions whose jobs were held when the fault struck. */
  held: string[];
}

/** What a run of the command came to. */
export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the command prints
  json: any;
}

/** Long enough for Node to call its handler of a signal before the answer arrives. */
const SIGNAL_MS = 10;
const BOUND_MS = 60_000;

/** The lock's holder repeats this statement for as long as the work takes. */
const REPEATED = 'DO SLEEP';

/** The steps of a command without a fault, in the order in which they pass. */
export async function stepsOf(stage: Stage, act: Act): Promise<Step[]> {
  const steps: Step[] = [];
  const jobs = await stage.setUp(act);
  const ran = await run(stage, act.args(labelled(jobs)), async ({step, at}) => {
    if (at === 'request' && !(step.name === REPEATED && step.nth > 1)) steps.push(step);
    return true;
  });
  if (ran.code !== 0) throw new Error(`${act.title}: ${ran.code} ${ran.stdout}${ran.stderr}`);
  return steps;
}

/** The command holds the site's lock from here on; before it changes nothing, and a signal ends it. */
const LOCK = 'GET_LOCK';

/**
 * All that may go wrong at these steps, each once:
 *
 * - What comes before the lock is the same for several commands: `known` has the lists of such steps that were played.
 * - Before the lock the first signal ends the process, so there is no second one.
 * - SIGKILL leaves what the servers have: between two messages that change something it is the same at each step.
 * - That a server is lost shows at the next message to it: of the messages to the other server in between, the first and the last
 *   stand for all.
 */
export function crashPoints(steps: readonly Step[], known: Set<string>): CrashPoint[] {
  const lock = steps.findIndex(({name}) => name.includes(LOCK));
  const beforeLock = steps
    .slice(0, lock)
    .map(({name}) => name)
    .join();
  const first = known.has(beforeLock) ? lock : 0;
  known.add(beforeLock);
  const points: CrashPoint[] = [];
  let changed = true;
  for (const [index, step] of steps.entries()) {
    if (index < first) continue;
    for (const fault of FAULTS) {
      if (fault === 'SIGINT twice' && index < lock) continue;
      if (fault === 'SIGKILL' && !changed) continue;
      if (isLostAlready(fault, steps, index, first)) continue;
      points.push({step, fault, at: 'request'});
      if (fault === `${step.server} lost`) points.push({step, fault, at: 'reply'});
    }
    changed = !readsOnly(step.name);
  }
  return [...points, {step: steps.at(-1)!, fault: 'SIGKILL', at: 'reply'}];
}

/** Whether a server was as good as lost at the step before, and still is at the step after. */
function isLostAlready(fault: Fault, steps: readonly Step[], index: number, first: number): boolean {
  if (!fault.endsWith(' lost')) return false;
  const isOther = (at: number) => at >= first && at < steps.length && fault !== `${steps[at]!.server} lost`;
  return isOther(index - 1) && isOther(index) && isOther(index + 1);
}

/** Sets the scene up, runs the command with the fault, and then once more without one. */
export async function strike(stage: Stage, act: Act, point: CrashPoint): Promise<Played> {
  const jobs = await stage.setUp(act);
  const before = await stage.observe();
  const args = act.args(labelled(jobs));
  let reached = false;
  let held: string[] = [];
  const first = await run(stage, args, async ({step, at}, child) => {
    if (step.server !== point.step.server || step.name !== point.step.name || step.nth !== point.step.nth)
      return true;
    if (point.fault === 'SIGINT twice' && at === 'reply') {
      await interrupt(child);
      return true;
    }
    if (at !== point.at) return true;
    reached = true;
    held = [...stage.servers.held()];
    switch (point.fault) {
      case 'SIGKILL': {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
        return false;
      }
      case 'SIGINT':
      case 'SIGINT twice':
        await interrupt(child);
        return true;
      default: {
        const server = point.fault.split(' ')[0] as Server;
        stage.servers.lose(server);
        return server !== step.server;
      }
    }
  });
  await stage.settle();
  const after = await stage.observe();
  const hadWorker = stage.hasWorker();
  let second = await run(stage, args);
  await stage.settle();
  const hadToWait = /The last line of its log is/.test(second.stdout);
  if (hadToWait) {
    await stage.letLogsAge();
    second = await run(stage, args);
    await stage.settle();
  }
  const end = await stage.observe();
  const drained = await stage.drain();
  return {
    act,
    point,
    reached,
    held,
    ...judge({
      act,
      jobs,
      fault: point.fault,
      held,
      before,
      first,
      after,
      hadWorker,
      second,
      hadToWait,
      end,
      drained,
    }),
  };
}

async function interrupt(child: StartedAtomctl['child']): Promise<void> {
  child.kill('SIGINT');
  await sleep(SIGNAL_MS);
}

async function run(
  stage: Stage,
  args: readonly string[],
  watch: (moment: Moment, child: StartedAtomctl['child']) => Promise<boolean> = async () => true,
): Promise<Ran> {
  const started = startAtomctl(args, {env: stage.env});
  stage.servers.watch((moment) => watch(moment, started.child));
  const timer = setTimeout(() => started.child.kill('SIGKILL'), BOUND_MS);
  const {code, signal, stdout, stderr} = await started.ended;
  clearTimeout(timer);
  let json = null;
  try {
    json = JSON.parse(stdout);
  } catch {}
  return {code, signal, stdout, stderr, json};
}
