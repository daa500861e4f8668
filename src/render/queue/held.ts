import type {HoldResult} from '../../jobs/hold/hold.ts';

/** What queue:hold prints under --json. */
export function holdDocument({failure, ...held}: HoldResult) {
  const error = failure && {code: failure.code, message: failure.message, hint: failure.hint ?? null};
  return {...held, error};
}

/** One line: what became of the jobs that were held. */
export function renderHeld({held, moved, restored}: HoldResult): string {
  if (held === 0) return 'No job waited.';
  const parts = [
    `${held === 1 ? '1 job was' : `${held} jobs were`} held`,
    ...(moved > 0 ? [`${moved} moved to the site's new prefix`] : []),
    ...(restored > 0 ? [`${restored} submitted again after the restart of gearmand`] : []),
  ];
  return `${parts.join(', ')}; all wait in the queue again.`;
}
