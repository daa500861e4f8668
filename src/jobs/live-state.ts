/**
 * What a job that the database calls running really is: executing, queued, lost or uncertain.
 *
 * Three facts make it possible to tell without touching the queue. A job that ever started has logged its
 * parameters, from which its unique key follows, and a server answers for a key exactly. Gearman counts the jobs
 * of each function, so what the keys do not explain must belong to rows that never started. And a worker saves
 * the row before it tells Gearman that the job has ended, so a job that no server knows and whose row, read
 * again afterwards, still says running, is lost.
 */
import {mayBeFunctionOf} from '../atom/job-classes.ts';
import type {SiteTime} from '../atom/site-time.ts';
import type {AtomctlError} from '../errors.ts';
import type {GearmanServer, ServerConnection} from '../gearman/server.ts';
import type {Queryable} from '../mysql/database.ts';
import {functionsOfSite, type SeenFunction, takeSnapshot} from '../queue/snapshot.ts';
import {uniqueKey} from '../queue/unique-key.ts';
import {type KnownJob, liveVerdicts, type SeenPayload} from './live-verdict.ts';
import {parametersTextOf} from './log.ts';
import {type RunningRow, runningRows} from './running-rows.ts';
import {type LiveState, STATUSES} from './status.ts';

/** A row younger than this may be between AtoM's insert and its submission to Gearman. */
const YOUNGEST_LOST_SECONDS = 10;

export interface LiveOptions {
  database: Queryable;
  servers: readonly ServerConnection[];
  /** The site's function prefix; null where it is not known. */
  prefix: string | null;
  time: SiteTime;
  now: () => Date;
  /** Looks at the payloads of the site's queued jobs; not given where the queue must not be touched. */
  probe?: () => Promise<SeenPayload[] | null>;
}

/** A job whose key a server knows: where, and under which key. */
export interface FoundJob extends KnownJob {
  server: GearmanServer;
  unique: string;
}

export interface LiveReport {
  /** By job id; only of rows that were running both before and after the servers were asked. */
  states: Map<number, LiveState>;
  found: Map<number, FoundJob>;
  rows: RunningRow[];
  /** One error for each server that did not answer. */
  missing: AtomctlError[];
  /** False where not a single server answered. */
  answered: boolean;
  /** False where the site's prefix shows no life on any server, so that functions had to be guessed at. */
  own: boolean;
}

/**
 * The live state of every running row of the site. Costs one query, two exchanges with each server and one more
 * query. A server that does not answer costs certainty, never the report.
 * @throws AtomctlError for the database, or what `probe` throws
 */
export async function liveStates(options: LiveOptions): Promise<LiveReport> {
  const rows = await runningRows({database: options.database, filter: {}});
  const payloads = (await options.probe?.()) ?? null;
  const snapshot = await takeSnapshot(options.servers);
  const {own, functions} = functionsOfSite(snapshot, options.prefix);
  const busy = functions.filter(({total}) => total > 0);
  const keys = await askForKeys(rows, busy);
  const idsAfter = new Set(await runningIds(options.database));

  const missing = [...snapshot.missing.map(({error}) => error), ...keys.missing];
  const states = liveVerdicts({
    rows: rows
      .filter(({id}) => idsAfter.has(id))
      .map((row) => ({
        id: row.id,
        functions: new Set(
          busy.filter(({jobClass}) => mayBeFunctionOf(row.name, jobClass)).map((seen) => seen.function),
        ),
        known: keys.found.get(row.id) ?? null,
        keyAsked: keys.asked.has(row.id),
        young: isYoung(row, options),
      })),
    counts: countsByFunction(busy),
    complete: missing.length === 0,
    own,
    unchanged: idsAfter.size === rows.length && rows.every(({id}) => idsAfter.has(id)),
    payloads,
  });
  return {states, found: keys.found, rows, missing, answered: snapshot.answered.length > 0, own};
}

/** A row whose start lies in the future, or is not stored, gets the benefit of the doubt too. */
function isYoung({startedAt}: RunningRow, {time, now}: LiveOptions): boolean {
  const startMs = startedAt === null ? Number.NaN : time.toEpochMs(startedAt);
  return !(now().getTime() - startMs >= YOUNGEST_LOST_SECONDS * 1000);
}

async function runningIds(database: Queryable): Promise<number[]> {
  const {termId} = STATUSES.running;
  const rows = await database.query<{id: number}>('SELECT id FROM job WHERE status_id = ?', [termId]);
  return rows.map(({id}) => id);
}

interface KeyAnswers {
  found: Map<number, FoundJob>;
  /** Rows whose key every server that may hold the job was asked for. */
  asked: Set<number>;
  missing: AtomctlError[];
}

/** Asks each server for the keys of the rows that its busy functions may hold: one exchange a server. */
async function askForKeys(rows: readonly RunningRow[], busy: readonly SeenFunction[]): Promise<KeyAnswers> {
  const answers: KeyAnswers = {found: new Map(), asked: new Set(), missing: []};
  for (const {id, parametersLine} of rows) if (parametersLine !== null) answers.asked.add(id);
  const servers = new Set(busy.map(({server}) => server));
  await Promise.all(
    [...servers].map(async (server) => {
      const questions = questionsFor(
        rows,
        busy.filter((seen) => seen.server === server),
        answers.asked,
      );
      if (questions.length === 0) return;
      try {
        const presences = await server.statusOfUniqueKeys(questions.map(({unique}) => unique));
        questions.forEach(({id, name, unique}, index) => {
          const presence = presences[index];
          if (presence?.known)
            answers.found.set(id, {function: name, running: presence.running, server, unique});
        });
      } catch (thrown) {
        const error = thrown as AtomctlError;
        // A server that cannot answer for keys (Perl's) leaves the counts; one that fell silent leaves nothing.
        if (error.code !== 'GEARMAN_PROTOCOL') answers.missing.push(error);
        for (const {id} of questions) answers.asked.delete(id);
      }
    }),
  );
  return answers;
}

/** The keys to ask one server for. A row whose logged parameters make no key is taken out of `asked`. */
function questionsFor(rows: readonly RunningRow[], busy: readonly SeenFunction[], asked: Set<number>) {
  const questions: {id: number; name: string; unique: string}[] = [];
  for (const row of rows) {
    const parameters = row.parametersLine === null ? null : parametersTextOf(row.parametersLine);
    if (parameters === null) continue;
    for (const seen of busy) {
      if (!mayBeFunctionOf(row.name, seen.jobClass)) continue;
      const unique = uniqueKey(seen.function, parameters);
      if (unique === null) asked.delete(row.id);
      else questions.push({id: row.id, name: seen.function, unique});
    }
  }
  return questions;
}

function countsByFunction(functions: readonly SeenFunction[]): Map<string, {total: number; running: number}> {
  const counts = new Map<string, {total: number; running: number}>();
  for (const {function: name, total, running} of functions) {
    const sum = counts.get(name) ?? {total: 0, running: 0};
    counts.set(name, {total: sum.total + total, running: sum.running + running});
  }
  return counts;
}
