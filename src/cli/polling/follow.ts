import {EXIT} from '../../errors.ts';
import {type FollowStep, followJob, LogReader} from '../../jobs/wait/follow.ts';
import {waitExitStatus} from '../../jobs/wait/wait.ts';
import {renderFollowEnd, renderFollowed, shortLog} from '../../render/jobs/details.ts';
import {sanitizeBlock, sanitizeJson} from '../../render/sanitize.ts';
import type {Screen} from '../../render/screen.ts';
import type {Context} from '../context.ts';
import {fetchWatchedJobs, onceEach, pollSession} from './poll-session.ts';

export interface FollowOptions {
  id: number;
  /** Ask for the live state; without it, a lost job is not noticed. */
  live: boolean;
  json: boolean;
  screen: Screen;
  write: (text: string) => void;
  notice: (text: string) => void;
}

const INTERVAL_SECONDS = 1;

/** Prints a job and its log as it grows, until the job ends. Returns the exit status that jobs:wait would have. */
export function follow(settings: Context, options: FollowOptions): Promise<number> {
  const notice = onceEach(options.notice);
  const print = options.json ? documentPrinter(options) : textPrinter({...options, notice});
  const reader = new LogReader(options.id);
  return pollSession(settings, async (session) => {
    const steps = followJob({
      ...session,
      id: options.id,
      intervalSeconds: INTERVAL_SECONDS,
      maxSeconds: null,
      now: settings.now,
      fetch: async () => {
        const {jobs} = await fetchWatchedJobs(session, {ids: [options.id], live: options.live, notice});
        return {job: jobs[0], log: await reader.read(await session.context().database())};
      },
    });
    for await (const step of steps) {
      print(step);
      if (step.end !== null) return exitStatus(step);
    }
    options.notice('atomctl stopped following; the job continues.');
    return EXIT.interrupted;
  });
}

function exitStatus({job, end}: FollowStep): number {
  return waitExitStatus({jobs: [job], deleted: end === 'deleted' ? [job.id] : [], timeOver: false});
}

function textPrinter({screen, write, notice}: FollowOptions): (step: FollowStep) => void {
  let begun = false;
  let lineIsOpen = false;
  return ({job, log, end}) => {
    if (!begun) write(renderFollowed(job, screen));
    begun = true;
    if (log.restarted) notice('The log was started again; it is shown from its start.');
    write(sanitizeBlock(shortLog(log.text, job)));
    if (log.text !== '') lineIsOpen = !log.text.endsWith('\n');
    if (log.cut)
      notice("The log has reached AtoM's size limit: AtoM does not store what the job writes from now on.");
    if (end !== null) write(`${lineIsOpen ? '\n' : ''}${renderFollowEnd(job, end, screen)}`);
  };
}

/** One document per line, if something is new: the job, the new part of its log, and how it ended. */
function documentPrinter({write}: FollowOptions): (step: FollowStep) => void {
  let last = '';
  return ({job, log, end}) => {
    const state = `${job.status} ${job.live}`;
    if (state === last && log.text === '' && !log.restarted && end === null) return;
    last = state;
    write(`${sanitizeJson(JSON.stringify({job, log: log.text, logAnew: log.restarted, end}))}\n`);
  };
}
