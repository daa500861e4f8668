import type {Job} from '../../jobs/model/job.ts';
import type {Retried} from '../../jobs/retry/retry.ts';
import {sanitizeLine} from '../sanitize.ts';
import {type Color, paint, type Screen} from '../screen.ts';

/** What a retry prints under --json: what it did, or under --dry-run what it would do. */
export function retryDocument(retried: readonly Retried[], dryRun: boolean) {
  return {retried, ...(dryRun ? {dryRun} : {})};
}

const COLORS: Record<Retried['action'], Color> = {submitted: 'green', refused: 'red', failed: 'red'};

/** One line for each job: what was done to it. */
export function renderRetried(retried: readonly Retried[], screen: Screen): string {
  if (retried.length === 0) return 'No job matches.\n';
  return retried
    .map(
      ({id, action, message}) =>
        `${id}: ${paint(screen, COLORS[action], action)}. ${sanitizeLine(message)}\n`,
    )
    .join('');
}

/** One line for each job: whether it can be run again, and what that would do. */
export function renderRetryPlan(
  planned: readonly Retried[],
  jobs: ReadonlyMap<number, Pick<Job, 'name'>>,
  screen: Screen,
): string {
  if (planned.length === 0) return 'No job matches.\n';
  return planned
    .map(({id, action, message}) => {
      const name = jobs.get(id)?.name;
      const what = name === undefined ? '' : ` (${sanitizeLine(name)})`;
      const [color, text] =
        action === 'submitted' ? (['yellow', 'to run again'] as const) : (['red', 'refused'] as const);
      return `${id}${what}: ${paint(screen, color, text)}. ${sanitizeLine(message)}\n`;
    })
    .join('');
}
