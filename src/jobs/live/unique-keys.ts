/** Asks Gearman for jobs by their unique keys, which follow from the parameters that a started job has logged. */
import type {AtomctlError} from '../../errors.ts';
import {formatAddress} from '../../gearman/address.ts';
import type {GearmanServer, JobPresence} from '../../gearman/server.ts';
import {PROBE_LOCK} from '../../queue/function-name.ts';
import {uniqueKey} from '../../queue/unique-key.ts';
import type {KnownJob} from './evidence.ts';

/** A queue that may hold jobs of the site, and the server to ask. */
export interface SiteQueue {
  queue: string;
  function: string;
  server: GearmanServer;
}

/** A job whose key a server knows: where, and under which key. */
export interface FoundJob extends KnownJob {
  server: GearmanServer;
  function: string;
  unique: string;
}

/** A row with the parameters that it logged; null if it logged none. */
export interface KeyedRow {
  id: number;
  name: string;
  parameters: string | null;
}

/** Where each job is, by its id: every place that has it, none twice and never empty. */
export type FoundJobs = Map<number, readonly FoundJob[]>;

export interface KeyAnswers {
  found: FoundJobs;
  /** Rows for whose key every server that may have the job answered. */
  asked: Set<number>;
  /** By server address, why it did not answer. */
  missing: Map<string, AtomctlError>;
  /** Addresses of servers whose jobs another atomctl held when they were asked. */
  probing: Set<string>;
}

interface Question extends Omit<FoundJob, 'running'> {
  id: number;
}

/**
 * Asks each server for the keys of the rows that its queues may hold: one exchange with each. Never rejects for a
 * server.
 * @param candidates the queues that may hold a row's job
 */
export async function askForKeys(
  rows: readonly KeyedRow[],
  candidates: (row: KeyedRow) => readonly SiteQueue[],
): Promise<KeyAnswers> {
  const answers: KeyAnswers = {found: new Map(), asked: new Set(), missing: new Map(), probing: new Set()};
  const questions = new Map<GearmanServer, Question[]>();
  for (const row of rows) {
    if (row.parameters === null) continue;
    const asked = candidates(row).map((seen) => ({
      id: row.id,
      ...seen,
      unique: uniqueKey(seen.function, row.parameters!),
    }));
    if (asked.some(({unique}) => unique === null)) continue;
    answers.asked.add(row.id);
    for (const {unique, ...question} of asked) {
      const ofServer = questions.get(question.server) ?? [];
      ofServer.push({...question, unique: unique!});
      questions.set(question.server, ofServer);
    }
  }
  const known = await Promise.all(
    [...questions].map(([server, ofServer]) => askServer(server, ofServer, answers)),
  );
  for (const {id, ...place} of known.flat()) answers.found.set(id, [...(answers.found.get(id) ?? []), place]);
  return answers;
}

async function askServer(
  server: GearmanServer,
  questions: readonly Question[],
  answers: KeyAnswers,
): Promise<(Question & KnownJob)[]> {
  const address = formatAddress(server.address);
  try {
    const {presences, held} = await askUnheld(
      server,
      questions.map(({unique}) => unique),
    );
    if (held) answers.probing.add(address);
    return questions.flatMap((question, index) => {
      const {known, running} = presences[index]!;
      return known ? [{...question, running}] : [];
    });
  } catch (thrown) {
    const error = thrown as AtomctlError;
    // A server that cannot answer for keys (Perl's) leaves the counts; one that does not answer leaves nothing.
    if (error.code !== 'GEARMAN_PROTOCOL') answers.missing.set(address, error);
    for (const {id} of questions) answers.asked.delete(id);
    return [];
  }
}

/**
 * What the server says of keys, and whether another atomctl held jobs meanwhile: then a job that runs may be one that
 * waits. A probe takes its lock before the first job and gives it back after the last, so the lock is asked for first and
 * last, all in one exchange.
 */
export async function askUnheld(
  server: GearmanServer,
  keys: readonly string[],
): Promise<{presences: JobPresence[]; held: boolean}> {
  const answers = await server.statusOfUniqueKeys([PROBE_LOCK, ...keys, PROBE_LOCK]);
  return {presences: answers.slice(1, -1), held: answers[0]!.running || answers.at(-1)!.running};
}
