import {counted} from '../../counted.ts';
import type {HoldResult} from '../../jobs/hold/hold.ts';
import {sanitizeLine} from '../sanitize.ts';

/** What queue:hold prints under --json. */
export function holdDocument({failure, ...held}: HoldResult) {
  const error = failure && {code: failure.code, message: failure.message, hint: failure.hint ?? null};
  return {...held, error};
}

/** What a hold would do, if nothing changes until then. */
export interface HoldPreview {
  /** Jobs that it would take out, and those for whose end it would wait. */
  waiting: number;
  executing: number;
  /** The units that it would stop; empty if none of the site is active on this host. */
  units: readonly string[];
}

const NOTHING: HoldResult = {
  ...{commandStatus: null, held: 0, moved: 0, restored: 0, dropped: 0, returned: 0},
  ...{unitsStopped: false, waitedFor: [], left: [], failure: null, problems: []},
};

/** What queue:hold --dry-run prints under --json. */
export function holdPreviewDocument(planned: HoldPreview) {
  return {...holdDocument(NOTHING), planned};
}

/** What it would do, and what is known only when it runs. */
export function renderHoldPreview({waiting, executing, units}: HoldPreview): string {
  const wait = executing === 0 ? '' : ` It would wait for the end of ${counted(executing, 'job')}.`;
  const stop =
    units.length === 0
      ? 'No unit of the site is active on this host: the workers would stay active, and one of them may start a job before it is held.'
      : `It would stop ${units.join(', ')}, and start ${units.length === 1 ? 'it' : 'them'} again after the command.`;
  return `The hold would take ${counted(waiting, 'job')} out of the queue.${wait}\n${sanitizeLine(stop)}\nJobs may arrive or start until then, and how long the executing jobs take is not known. Nothing was changed.\n`;
}

/** One line: what became of the jobs that were held. */
export function renderHeld({held, moved, restored, dropped, returned}: HoldResult): string {
  if (held === 0) return 'No job waited.';
  const parts = [
    `${held === 1 ? '1 job was' : `${held} jobs were`} held`,
    ...(moved > 0 ? [`${moved} moved to the site's new prefix`] : []),
    ...(dropped > 0 ? [`${dropped} removed, because they had been moved before or have ended`] : []),
    ...(restored > 0 ? [`${restored} submitted again after the restart of gearmand`] : []),
  ];
  return `${parts.join(', ')}; ${whereabouts(held - dropped, returned)}.`;
}

function whereabouts(expected: number, returned: number): string {
  if (returned < expected)
    return returned === 0 ? 'none is known to wait in the queue' : `only ${returned} wait in the queue again`;
  return expected === 0 ? 'none is left' : 'all wait in the queue again';
}
