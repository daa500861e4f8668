import {formatBytes} from '../../bytes.ts';
import {formatDuration} from '../../duration.ts';
import {LIVE_STATES, STATUSES} from '../../jobs/model/job.ts';
import {SERIAL_SECONDS, SERIAL_TRIES} from '../../jobs/why/blocker.ts';
import type {AbleWorker, JobWhy, WhyProcess} from '../../jobs/why/facts.ts';
import {sanitizeLine} from '../sanitize.ts';
import {type Color, paint, type Screen} from '../screen.ts';
import {wrap} from '../wrap.ts';
import {wallClock} from './columns.ts';

/** Characters before the text of a fact. */
const INDENT = 14;

/** The facts of a job in lines for a person: first the state and its proof, last what to do. @param nowMs for ages */
export function renderWhy(job: JobWhy, screen: Screen, nowMs: number): string {
  const lines = [
    `${paint(screen, 'bold', `Job ${job.id}`)} ${sanitizeLine(job.name)}: ${stateText(job, screen)}`,
    ...proofTexts(job).flatMap((sentence) => wrapped(sentence, screen, 2).map((line) => `  ${line}`)),
    '',
    ...factsOf(job, nowMs).flatMap(([label, texts]) => labelled(label, texts, screen)),
  ];
  const {message, command} = job.advice;
  // A command is not broken: it is there to be copied.
  const commandLine = `  ${' '.repeat(INDENT)}${paint(screen, 'bold', sanitizeLine(command))}`;
  lines.push('', ...labelled('What to do', [message], screen), commandLine);
  return `${lines.join('\n')}\n`;
}

function stateText({state, likely}: JobWhy, screen: Screen): string {
  const {color} = ({...LIVE_STATES, ...STATUSES} as Record<string, {color: Color}>)[state]!;
  return paint(screen, color, state) + (likely === null ? '' : `, likely ${likely}`);
}

/** The first sentence is atomctl's own, with ISO times for JSON; error notes may follow and are shown as they are. */
function proofTexts({proof: [first = '', ...others]}: JobWhy): string[] {
  return [first.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[+-]\d\d:\d\d|Z)/g, wallClock), ...others];
}

type Fact = readonly [label: string, texts: readonly string[]];

/** What matters in this state; what is not known there is said in its place. */
function factsOf(job: JobWhy, nowMs: number): Fact[] {
  const shown = job.likely ?? job.state;
  const waits = shown === 'queued' || shown === 'uncertain';
  const executes = shown === 'executing';
  return [
    ...(waits ? [['Queue', [placeText(job)]] as const, ['Workers', workersText(job)] as const] : []),
    ...(job.blockedBy === null ? [] : [['Waits for', [blockerText(job)]] as const]),
    ...(executes ? [['Worker', [workerText(job)]] as const, ['Process', processText(job)] as const] : []),
    ['Last line', [activityText(job, nowMs)]],
    ...(job.progress === null ? [] : [['Progress', [progressText(job.progress)]] as const]),
    ['Usually', [usualText(job, nowMs)]],
  ];
}

function placeText({position, ahead, missing}: JobWhy): string {
  if (position === null) return missing.position!;
  if (position === 1) return 'It is the next of its class.';
  const hidden = position - 1 - ahead!.length;
  const more = hidden === 0 ? '' : ` and ${hidden} without an id`;
  return `It is number ${position} of its class; before it: ${someIds(ahead!)}${more}.`;
}

const SHOWN_IDS = 10;

function someIds(ids: readonly number[]): string {
  const more = ids.length - SHOWN_IDS;
  return `${ids.slice(0, SHOWN_IDS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function workersText({ableWorkers, missing}: JobWhy): string[] {
  if (ableWorkers === null) return [missing.ableWorkers!];
  if (ableWorkers.length === 0) return ['None that is connected can do it.'];
  return ableWorkers.map((worker) => `${worker.id} from ${worker.host} ${doing(worker)}`);
}

function doing({executes, idle}: AbleWorker): string {
  if (executes !== null) return `executes job ${executes}`;
  return idle === true ? 'executes nothing' : 'may execute another job';
}

function blockerText({blockedBy, triesUsed, state, likely}: JobWhy): string {
  const tries =
    (likely ?? state) === 'executing'
      ? `; ${triesUsed} of ${SERIAL_TRIES} tries used, ${SERIAL_SECONDS} s apart`
      : '';
  return `job ${blockedBy}, an older move or import${tries}`;
}

function workerText({worker, missing}: JobWhy): string {
  return worker === null ? missing.worker! : `${worker.id} from ${worker.host}`;
}

/** The fact's name in `missing`. */
const PROCESS: keyof JobWhy = 'process';

function processText({process: seen, missing}: JobWhy): string[] {
  if (seen === null) return [missing.process!];
  const query = hasQuery(seen) ? [] : [`query: ${whyNoQuery(seen, PROCESS, missing)}`];
  return [...processLines(seen, PROCESS, missing), ...query];
}

function hasQuery({query, children}: WhyProcess): boolean {
  return query !== null || children.some(hasQuery);
}

/** Of the youngest child, which does the work. */
function whyNoQuery({children}: WhyProcess, fact: string, missing: JobWhy['missing']): string {
  const [child] = children;
  return child === undefined ? missing[`${fact}.query`]! : whyNoQuery(child, `${fact}.children[0]`, missing);
}

function processLines(seen: WhyProcess, fact: string, missing: JobWhy['missing']): string[] {
  const {pid, command, cpuSeconds, readBytes, writtenBytes, memoryBytes, query, querySeconds, children} =
    seen;
  const io =
    readBytes === null || writtenBytes === null
      ? missing[`${fact}.readBytes`]!
      : `read ${formatBytes(readBytes)}, wrote ${formatBytes(writtenBytes)}`;
  const memory = memoryBytes === null ? '' : `, memory ${formatBytes(memoryBytes)}`;
  return [
    `${pid}: ${cut(command)}`,
    `CPU ${cpuSeconds.toFixed(1)}s${memory}; ${io}`,
    ...(query === null ? [] : [`query for ${formatDuration(querySeconds)}: ${query}`]),
    ...children.flatMap((child, index) => childLines(child, `${fact}.children[${index}]`, missing)),
  ];
}

/** A shell that only waits for its one child has nothing to say. */
function childLines(child: WhyProcess, fact: string, missing: JobWhy['missing']): string[] {
  const [only, ...others] = child.children;
  if (only !== undefined && others.length === 0 && /^\S*\bsh -c /.test(child.command))
    return childLines(only, `${fact}.children[0]`, missing);
  return processLines(child, fact, missing).map((line, at) => (at === 0 ? `child ${line}` : line));
}

/** Two lines of a small terminal; JSON has the whole command. */
const LONGEST_COMMAND = 120;

function cut(command: string): string {
  return command.length <= LONGEST_COMMAND ? command : `${command.slice(0, LONGEST_COMMAND - 1)}…`;
}

function activityText({lastActivityAt, lastLine, missing}: JobWhy, nowMs: number): string {
  if (lastActivityAt === null) return missing.lastActivityAt!;
  const seconds = Math.floor((nowMs - Date.parse(lastActivityAt)) / 1000);
  return `${formatDuration(Math.max(0, seconds))} ago: ${lastLine}`;
}

function progressText({done, total}: {done: number; total: number}): string {
  return `${done} of ${total} (${Math.floor((done / total) * 100)}%)`;
}

function usualText({usual, missing}: JobWhy, nowMs: number): string {
  if (usual === null) return missing.usual!;
  const {count, medianSeconds, p95Seconds, expectedEndAt} = usual;
  const jobs = count === 1 ? '1 completed job' : `${count} completed jobs`;
  const isPast = expectedEndAt !== null && Date.parse(expectedEndAt) < nowMs;
  const end =
    expectedEndAt === null
      ? ''
      : `; by the median this one ${isPast ? 'was to end' : 'ends'} at ${wallClock(expectedEndAt)}`;
  return `${formatDuration(medianSeconds)} (median), ${formatDuration(p95Seconds)} (95%) of ${jobs}${end}`;
}

function labelled(label: string, texts: readonly string[], screen: Screen): string[] {
  const lines = texts.flatMap((text) => wrapped(text, screen, INDENT + 2));
  return lines.map((line, at) => `  ${(at === 0 ? `${label}:` : '').padEnd(INDENT)}${line}`);
}

/** The lines beside an indent. */
function wrapped(text: string, {width}: Screen, indent: number): string[] {
  return wrap(sanitizeLine(text), width - indent);
}
