import {AtomctlError} from '../../errors.ts';
import {type LiveReport, placesOf} from '../live/live-state.ts';

/** Whether an executing job was cancelled before, as far as that shows without a change: nothing else runs on its servers. */
export async function isCancelled(report: LiveReport, id: number): Promise<boolean> {
  const places = placesOf(report, id).filter(({running}) => running);
  try {
    for (const {server} of places) {
      const jobs = await server.jobs();
      const presences = await server.statusOfHandles(jobs.map(({handle}) => handle));
      if (!jobs.every(({ignored}, index) => ignored || !presences[index]!.running)) return false;
    }
    return places.length > 0;
  } catch (error) {
    if (error instanceof AtomctlError) return false;
    throw error;
  }
}
