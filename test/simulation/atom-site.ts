import type {JobClass} from './classes.ts';
import {SECOND} from './clock.ts';

export type LineKind = 'started' | 'waits' | 'parameters' | 'info' | 'error' | 'finished';

export interface LogLine {
  atMs: number;
  kind: LineKind;
}

/** `object` and `job`, with a log whose lines matter. */
export interface Row {
  id: number;
  job: JobClass;
  objectId: number | null;
  /** An import's file (`file.tmp_name`). */
  upload: string | null;
  createdMs: number;
  status: 'running' | 'completed' | 'error';
  log: readonly LogLine[];
  /** The log has reached 65,534 characters: newer lines are missing (arJobLogger::doLog). */
  cut: boolean;
}

export interface Configuration {
  servers: readonly string[];
  workersKey: string;
}

/** What one environment compiled (`cache/qubit/<env>/config`). It counts until it is cleared (sfConfigCache::checkConfig, 2.8.2). */
export interface Cache extends Configuration {
  writtenMs: number;
}

/** One root: a release directory with its own configuration and caches. */
export interface Release {
  root: string;
  yaml: Configuration;
  yamlWrittenMs: number;
  web: Cache | null;
  worker: Cache | null;
  /** When the caches were cleared or the root came into use: no file that is left shows it. */
  movedMs: number;
}

/** The database and the configuration of one AtoM site. */
export class AtomSite {
  readonly version: '2.6' | '2.8';
  release: Release;
  rows = new Map<number, Row>();
  private nextId = 100;

  constructor(version: '2.6' | '2.8', release: Release) {
    this.version = version;
    this.release = release;
  }

  running(): Row[] {
    return [...this.rows.values()].filter((row) => row.status === 'running');
  }

  /** QubitJob::runJob saves the row, with status 183, and commits before it submits (AtoM 2.8.2, QubitJob.php). */
  insert(job: JobClass, nowMs: number, upload?: string | null): Row {
    this.nextId += 1;
    const row: Row = {
      id: this.nextId,
      job,
      objectId: job.object ? 1_000_000 + this.nextId : null,
      upload: upload ?? (job.child ? `/srv/atom/uploads/tmp/TMP${this.nextId}.csv` : null),
      createdMs: nowMs,
      status: 'running',
      log: [],
      cut: false,
    };
    this.rows.set(row.id, row);
    return row;
  }

  /** arJobLogger::doLog is an UPDATE by id: without a row nothing happens. Rows are replaced, so a snapshot stays what it was. */
  log(id: number, kind: LineKind, nowMs: number): void {
    const row = this.rows.get(id);
    if (!row || row.cut) return;
    // To 2.6 the parameters are not logged, and errors are [info] lines (arBaseJob::error, 2.6.4; run: an import without its file).
    if (this.version === '2.6' && kind === 'parameters') return;
    const shown = this.version === '2.6' && kind === 'error' ? 'info' : kind;
    this.rows.set(id, {
      ...row,
      log: [...row.log, {atMs: Math.floor(nowMs / SECOND) * SECOND, kind: shown}],
      // Parameters longer than the log fill it.
      cut: kind === 'parameters' && row.job.parameters === 'cut',
    });
  }

  fillLog(id: number): void {
    const row = this.rows.get(id);
    if (row) this.rows.set(id, {...row, cut: true});
  }

  save(id: number, status: Row['status']): void {
    const row = this.rows.get(id);
    if (row) this.rows.set(id, {...row, status});
  }

  /** arBaseJob::canBeFullyExecuted: the oldest running serial row is this one (2.8.2). */
  isOldestSerial(id: number): boolean {
    return this.oldestSerial()?.id === id;
  }

  oldestSerial(): Row | undefined {
    return this.running().find((row) => row.job.serial);
  }
}

/** QubitJob::getJobPrefix since 2.5.2: md5(root . workers_key) . "-". The model's prefix is readable instead of hashed. */
export function prefixOf(root: string, workersKey: string): string {
  return `${root}#${workersKey}-`;
}
