import {createHash} from 'node:crypto';
import {AtomctlError} from '../../errors.ts';
import type {Context} from '../context.ts';
import {caller} from './caller.ts';

/**
 * Does work that nothing else may do to the same site meanwhile: clear, kill and mend exclude each other, on any
 * host, since the lock is the site's database server's.
 * @throws AtomctlError LOCKED, naming the holder, where other work has the lock; what `work` throws
 */
export async function underSiteLock<T>(
  context: Context,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  const [{takeNamedLock}, site, time] = await Promise.all([
    import('../../mysql/named-lock.ts'),
    context.site(),
    context.time(),
  ]);
  const {value: config} = await site.database();
  const since = time.toWall(context.now());
  const lock = await takeNamedLock(config, {
    name: `atomctl:${createHash('md5').update(config.database).digest('hex')}`,
    holder: `${command} by ${caller()}, process ${process.pid}, since ${since}`,
    timeoutSeconds: context.timeoutSeconds,
  });
  if (!lock.taken) {
    throw new AtomctlError('LOCKED', `This site is being changed by ${lock.holder}.`, {
      hint: 'Wait for it to end, or end it: the lock goes with it. Nothing was changed.',
    });
  }
  return work().finally(lock.release);
}
