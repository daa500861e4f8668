import {readFile} from 'node:fs/promises';
import type {UnitState} from './unit-state.ts';

/**
 * The mount points of the unified hierarchy, alone or beside the controllers of cgroup v1, and of systemd's own of
 * v1.
 */
const MOUNTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'];

/**
 * The process ids of a service, its main process first: an ExecStart that wraps the worker in a shell has the
 * worker as a child. Only the main process if the cgroup cannot be read.
 */
export async function processesOf({mainPid, controlGroup}: UnitState): Promise<number[]> {
  const main = mainPid === null ? [] : [mainPid];
  if (controlGroup === null) return main;
  for (const mount of MOUNTS) {
    const text = await readFile(`${mount}${controlGroup}/cgroup.procs`, 'utf8').catch(() => '');
    const pids = text.split('\n').filter(Boolean).map(Number);
    if (pids.length > 0) return [...new Set([...main, ...pids])];
  }
  return main;
}
