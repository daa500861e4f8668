/** jobs:mark and doctor --fix, step by step: src/jobs/mark, src/doctor/fix.ts. */
import {
  changedMeanwhile,
  type Marked,
  type MarkResult,
  type MarkTarget,
  markExitStatus,
  markRefusal,
  previewMark,
  stateOf,
} from '../../../src/jobs/mark/mark.ts';
import {type Act, changeRow, liveStatesToAct, loadJobs, type Report, refused, type Steps} from './act.ts';
import {endedInGearman} from './queue-steps.ts';

export function* mark(act: Act, ids: readonly number[]): Steps<{result: MarkResult; exit: number}> {
  const {as, force, interrupt} = act.spec;
  const firstSeen = new Map<number, number>();
  const done = (result: MarkResult) => ({result, exit: markExitStatus(result)});
  if (interrupt !== 'asked') return done(yield* markEach(act, ids, yield* planMark(act, ids, firstSeen)));
  const shown = yield* planMark(act, ids, firstSeen);
  const planned = previewMark({ids, as}, shown);
  const agreed = planned.flatMap(({id, action}) => (action === 'marked' ? [id] : []));
  if (agreed.length === 0) return done({marked: planned, stoppedEarly: false});
  act.asked = new Map([...shown].map(([id, {job}]) => [id, job.status]));
  yield {did: 'is told to go on'};
  const targets = yield* planMark(act, agreed, firstSeen);
  for (const [id, target] of targets)
    if (!act.careless.forgetsQuestion) target.refused ??= changedMeanwhile({force}, shown.get(id)!, target);
  const result = yield* markEach(act, agreed, targets);
  const marked = new Map(result.marked.map((each) => [each.id, each]));
  return done({...result, marked: planned.map((each) => marked.get(each.id) ?? each)});
}

function* planMark(
  act: Act,
  ids: readonly number[],
  firstSeen: Map<number, number>,
): Steps<Map<number, MarkTarget>> {
  const jobs = loadJobs(act, ids);
  yield {did: `reads the jobs ${ids.join(', ')}`};
  const running = new Set(jobs.filter(({status}) => status === 'running').map(({id}) => id));
  const report = running.size === 0 ? null : yield* liveStatesToAct(act, firstSeen, {ids: running});
  const inGearman = yield* endedInGearman(act, jobs);
  const lengths = new Map(report?.rows.map(({id, logLength}) => [id, logLength]));
  return new Map(
    jobs.map((job) => {
      const {was, reason} = stateOf(job, report, inGearman);
      const refused = markRefusal(act.spec, job, was, reason);
      return [
        job.id,
        {job, was, logLength: lengths.get(job.id) ?? null, refused, finishedAt: null, warning: null},
      ];
    }),
  );
}

function* markEach(
  act: Act,
  ids: readonly number[],
  targets: ReadonlyMap<number, MarkTarget>,
): Steps<MarkResult> {
  for (const id of ids) act.named.add(id);
  const {as} = act.spec;
  const marked: Marked[] = [];
  let stoppedEarly = false;
  for (const planned of previewMark({ids, as}, targets)) {
    const {id, action, was} = planned;
    if (action === 'refused') marked.push(planned);
    else if (act.aborted) {
      stoppedEarly = true;
      marked.push({id, was, action: 'refused', message: 'Interrupted.'});
    } else {
      const {job, logLength} = targets.get(id)!;
      const row = yield* changeRow(act, {
        id,
        seen: {status: job.status, logLength: logLength ?? undefined},
        to: as,
        limit: was === 'ended' ? 'ended by hand' : null,
      });
      const done = row.outcome === 'done' ? 'marked' : 'refused';
      marked.push({id, was, action: done, message: `The change of the row: ${row.outcome}.`});
    }
  }
  return {marked, stoppedEarly};
}

/** Lost jobs become errors, finished ones that show no error completed. */
export function* fix(act: Act): Steps<{fixed: number}> {
  // The findings that the question shows.
  const firstSeen = new Map<number, number>();
  const shown = yield* liveStatesToAct(act, firstSeen);
  for (const {id} of [...rowsWith(shown, 'lost'), ...rowsWith(shown, 'finished')]) act.named.add(id);
  if (act.named.size === 0) return {fixed: 0};
  yield {did: 'is told to go on'};
  const report = yield* liveStatesToAct(act, firstSeen);
  let fixed = 0;
  for (const {fault, to} of [
    {fault: 'lost', to: 'error'},
    {fault: 'finished', to: 'completed'},
  ] as const) {
    const named = new Set(rowsWith(shown, fault).map(({id}) => id));
    for (const {id, logLength} of rowsWith(report, fault)) {
      if (!named.has(id)) continue;
      if (act.aborted) throw refused('Interrupted.');
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
