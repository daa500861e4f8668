/** jobs:mark and doctor --fix, step by step: src/jobs/mark, src/doctor/fix.ts. */
import {
  type Marked,
  type MarkResult,
  markExitStatus,
  markRefusal,
  stateOf,
} from '../../../src/jobs/mark/mark.ts';
import {type Act, changeRow, liveStatesToAct, loadJobs, type Report, refused, type Steps} from './act.ts';
import {executingEnded} from './queue-steps.ts';

export function* mark(act: Act, ids: readonly number[]): Steps<{result: MarkResult; exit: number}> {
  for (const id of ids) act.named.add(id);
  const {as, force} = act.spec;
  const jobs = loadJobs(act, ids);
  yield {did: `reads the jobs ${ids.join(', ')}`};
  const running = new Set(jobs.filter(({status}) => status === 'running').map(({id}) => id));
  const report = running.size === 0 ? null : yield* liveStatesToAct(act, new Map(), running);
  const executing = yield* executingEnded(act, jobs);
  const lengths = new Map(report?.rows.map(({id, logLength}) => [id, logLength]));
  const marked: Marked[] = [];
  let stoppedEarly = false;
  for (const id of new Set(ids)) {
    const job = jobs.find((each) => each.id === id);
    if (!job) {
      marked.push({id, was: null, action: 'refused', message: `There is no job ${id}.`});
      continue;
    }
    const {was, reason} = stateOf(job, report, executing);
    const why = markRefusal({as, force}, job, was, reason);
    if (why !== null) marked.push({id, was, action: 'refused', message: why});
    else if (act.aborted) {
      stoppedEarly = true;
      marked.push({id, was, action: 'refused', message: 'Interrupted.'});
    } else {
      const row = yield* changeRow(act, {
        id,
        seen: {status: job.status, logLength: lengths.get(id)},
        to: as,
        limit: was === 'ended' ? 'ended by hand' : null,
      });
      const action = row.outcome === 'done' ? 'marked' : 'refused';
      marked.push({id, was, action, message: `The change of the row: ${row.outcome}.`});
    }
  }
  const result = {marked, stoppedEarly};
  return {result, exit: markExitStatus(result)};
}

/** Lost jobs become errors, finished ones that show no error completed. */
export function* fix(act: Act): Steps<{fixed: number}> {
  // The findings that the question shows.
  const firstSeen = new Map<number, number>();
  yield* liveStatesToAct(act, firstSeen);
  yield {did: 'is told to go on'};
  const report = yield* liveStatesToAct(act, firstSeen);
  let fixed = 0;
  for (const {fault, to} of [
    {fault: 'lost', to: 'error'},
    {fault: 'finished', to: 'completed'},
  ] as const) {
    for (const {id, logLength} of rowsWith(report, fault)) {
      if (act.aborted) throw refused('Interrupted.');
      act.named.add(id);
      const row = yield* changeRow(act, {id, seen: {status: 'running', logLength}, to});
      if (row.outcome === 'failed') throw row.error;
      if (row.outcome === 'done') fixed += 1;
    }
  }
  return {fixed};
}

function rowsWith({evidence, verdicts, rows}: Report, fault: 'lost' | 'finished') {
  const fits = new Set(
    evidence.rows
      .filter(({id, key, failed}) => {
        if (verdicts.get(id)!.state !== fault) return false;
        return fault === 'lost' || (key !== 'none' && !failed);
      })
      .map(({id}) => id),
  );
  return rows.filter(({id}) => fits.has(id));
}
