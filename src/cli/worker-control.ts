import type {WorkerControl} from '../jobs/worker-control.ts';
import type {Context} from './context.ts';
export async function workerControl(_context: Context): Promise<WorkerControl> {
  throw new Error('todo');
}
