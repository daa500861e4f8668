import {AtomctlError} from '../../errors.ts';
import type {GearmanServer} from '../../gearman/server.ts';
import {type LiveReport, placesOf} from '../live/live-state.ts';

/** Whether an executing job was cancelled before, as far as that shows without a change: nothing else runs on its servers. */
export async function isCancelled(report: LiveReport, id: number): Promise<boolean> {
  const places = placesOf(report, id).filter(({running}) => running);
  try {
    for (const {server} of places) {
      const running = new Set(await runningHandles(server));
      const jobs = await server.jobs();
      if (!jobs.every(({handle, ignored}) => ignored || !running.has(handle))) return false;
    }
    return places.length > 0;
  } catch (error) {
    if (error instanceof AtomctlError) return false;
    throw error;
  }
}

async function runningHandles(server: GearmanServer): Promise<string[]> {
  const handles = (await server.jobs()).map(({handle}) => handle);
  const presences = await server.statusOfHandles(handles);
  return handles.filter((_, index) => presences[index]!.running);
}
