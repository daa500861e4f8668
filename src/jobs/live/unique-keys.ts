/** Asks Gearman for jobs by their unique keys, which follow from the parameters that a started job has logged. */
import {mayBeFunctionOf} from '../../atom/job-classes.ts';
import type {AtomctlError} from '../../errors.ts';
import type {GearmanServer} from '../../gearman/server.ts';
import {PROBE_LOCK} from '../../queue/function-name.ts';
import type {SeenFunction} from '../../queue/snapshot.ts';
import {uniqueKey} from '../../queue/unique-key.ts';
import {parametersTextOf} from '../model/log.ts';
import type {RunningRow} from '../model/running-jobs.ts';
import type {KnownJob} from './verdict.ts';

/** A job whose key a server knows: where, and under which key. */
export interface FoundJob extends KnownJob {
  server: GearmanServer;
  unique: string;
}

export interface KeyAnswers {
  found: Map<number, FoundJob>;
  /** Rows whose key every server that may hold the job was asked for. */
  asked: Set<number>;
  missing: AtomctlError[];
  /** A server's jobs were held by another atomctl when it was asked. */
  probing: boolean;
}

/**
 * Asks each server for the keys of the rows that its busy functions may hold: one exchange a server. Never rejects
 * for a server.
 */
export async function askForKeys(
  rows: readonly RunningRow[],
  busy: readonly SeenFunction[],
): Promise<KeyAnswers> {
  const {questions, asked} = questionsFor(rows, busy);
  const answers: KeyAnswers = {found: new Map(), asked, missing: [], probing: false};
  await Promise.all(
    [...new Set(questions.map(({server}) => server))].map(async (server) => {
      const ofServer = questions.filter((question) => question.server === server);
      try {
        // The lock first: where it is free, nobody comes to hold a job before the keys are answered.
        const keys = [PROBE_LOCK, ...ofServer.map(({unique}) => unique)];
        const [lock, ...presences] = await server.statusOfUniqueKeys(keys);
        answers.probing ||= lock!.known;
        ofServer.forEach((question, index) => {
          const {known, running} = presences[index]!;
          if (known) answers.found.set(question.id, {...question, running});
        });
      } catch (thrown) {
        const error = thrown as AtomctlError;
        // A server that cannot answer for keys (Perl's) leaves the counts; one that fell silent leaves nothing.
        if (error.code !== 'GEARMAN_PROTOCOL') answers.missing.push(error);
        for (const {id} of ofServer) answers.asked.delete(id);
      }
    }),
  );
  return answers;
}

interface Question extends Omit<FoundJob, 'running'> {
  id: number;
}

/** The keys to ask for, and the rows for which they say all: those whose logged parameters make a key. */
function questionsFor(rows: readonly RunningRow[], busy: readonly SeenFunction[]) {
  const questions: Question[] = [];
  const asked = new Set<number>();
  for (const {id, name, parametersLine} of rows) {
    const parameters = parametersLine === null ? null : parametersTextOf(parametersLine);
    if (parameters === null) continue;
    const ofRow = busy
      .filter(({jobClass}) => mayBeFunctionOf(name, jobClass))
      .map((seen) => ({...seen, unique: uniqueKey(seen.function, parameters)}));
    for (const {server, queue, unique} of ofRow)
      if (unique !== null) questions.push({id, server, queue, unique});
    if (ofRow.every(({unique}) => unique !== null)) asked.add(id);
  }
  return {questions, asked};
}
