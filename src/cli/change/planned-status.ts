import {EXIT} from '../../errors.ts';

/** The exit status of a plan (`--dry-run`): that of the real run, if nothing changes until then. */
export function plannedStatus(jobs: readonly {action: string}[]): number {
  const refused = jobs.filter(({action}) => action === 'refused').length;
  if (jobs.some(({action}) => action === 'failed')) return EXIT.failed;
  if (refused === 0) return EXIT.ok;
  return refused < jobs.length ? EXIT.failed : EXIT.refused;
}
