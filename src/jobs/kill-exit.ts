import {EXIT} from '../errors.ts';
import type {KillResult} from './kill.ts';

/** How a kill of several jobs ends: interrupted, all done, some, none for want of the jobs, or none because all were refused. */
export function killExitStatus({killed, workerProblem, interrupted}: KillResult): number {
  if (interrupted) return EXIT.interrupted;
  const refused = killed.filter(({action}) => action === 'refused');
  if (refused.length === 0) return workerProblem === null ? EXIT.ok : EXIT.failed;
  if (refused.length < killed.length) return EXIT.failed;
  return refused.every(({was}) => was === null) ? EXIT.noSuchJob : EXIT.refused;
}
