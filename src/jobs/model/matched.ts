import type {JobStatus, LiveState} from './job.ts';

/** What a filter saw of a job. One that is something else as it is read again was not meant. */
export interface Matched {
  status: JobStatus;
  /** null if the filter asked for no live state. */
  state: LiveState | null;
}

/** How a job has changed since, as the end of a sentence; null if it has not. A state that was not proved may be by now. */
export function changedSince(
  matched: Matched | undefined,
  now: {status: JobStatus; state: string},
): string | null {
  if (matched === undefined) return null;
  if (now.status !== matched.status) return `it was ${matched.status} and is ${now.status} now`;
  const {state} = matched;
  return state === null || state === 'uncertain' || state === now.state
    ? null
    : `it was ${state} and is ${now.state} now`;
}
