import {spawnSync} from 'node:child_process';

/** Set in the process that is alone. */
const ALONE = 'CRASH_POINTS_ALONE';
const UNSHARE = ['--pid', '--fork', '--mount-proc', '--kill-child'];
/** A shell, unlike Node, waits for processes whose parents have ended, as the first process of a namespace has to. */
const FIRST = ['sh', '-c', '"$@"; exit $?', 'sh'];

/**
 * Runs this program again in a namespace where it sees only its own processes. atomctl counts each worker on the host that is
 * not known to be another site's, so one that somebody else has started would make jobs uncertain.
 * @returns its exit status; null if this program is alone already, or cannot be
 */
export function runAlone(): number | null {
  if (process.env[ALONE] !== undefined) return null;
  if (spawnSync('unshare', [...UNSHARE, 'true']).status !== 0) {
    process.stderr.write(
      'unshare is not allowed here (it needs root): workers of others on this host may make jobs uncertain.\n',
    );
    return null;
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const env = {...process.env, [ALONE]: '1'};
  return spawnSync('unshare', [...UNSHARE, ...FIRST, ...command], {stdio: 'inherit', env}).status ?? 1;
}
