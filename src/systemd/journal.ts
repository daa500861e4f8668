import {spawn} from 'node:child_process';
import {userInfo} from 'node:os';
import {createInterface} from 'node:readline';
import {AtomctlError} from '../errors.ts';
import {NOT_INSTALLED, toolCommand, WITHOUT_SYSTEMD} from './command.ts';
import type {Scope} from './systemctl.ts';

export interface JournalEntry {
  at: Date;
  /** The unit whose process wrote it, or that systemd's own message is about. */
  unit: string | null;
  pid: number | null;
  message: string;
  /** The kind of systemd's event, 32 hex digits; null if a service wrote the message. */
  messageId: string | null;
}

export interface JournalQuery {
  scope: Scope;
  units: readonly string[];
  /** Only systemd's own messages about the units, not what their processes wrote. */
  eventsOnly?: boolean;
  since?: Date;
  /** Only since boot. */
  thisBoot?: boolean;
  /** The newest N. */
  lines?: number;
  /**
   * Continues with new entries until `signal` aborts; begins with the newest ten unless `lines` or `wholeHistory` is
   * set.
   */
  follow?: boolean;
  /** Begins with the oldest entry also with `follow`. */
  wholeHistory?: boolean;
  signal?: AbortSignal;
}

const NOT_ALLOWED = /insufficient permissions|not seeing messages from other users/;

/**
 * The journal's entries about units, oldest first.
 * @throws AtomctlError SYSTEMD_REFUSED if this user may not read the journal, SYSTEMD_UNAVAILABLE without
 *   one, FAILED with what journalctl reported
 */
export async function* readJournal(query: JournalQuery): AsyncGenerator<JournalEntry> {
  const child = spawn(...toolCommand('journalctl', journalArguments(query)), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = () => child.kill();
  query.signal?.addEventListener('abort', stop, {once: true});
  const ended = new Promise<number | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (status) => resolve(status ?? 0));
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  let entries = 0;
  try {
    for await (const line of createInterface({input: child.stdout})) {
      const entry = parseEntry(line);
      if (entry !== null) {
        entries += 1;
        yield entry;
      }
    }
    const status = await ended;
    if (query.signal?.aborted === true) return;
    if (status !== 0 || entries === 0) refuse(status, errors);
  } finally {
    query.signal?.removeEventListener('abort', stop);
    child.kill();
  }
}

/** All entries at once, for a query that does not follow. */
export async function collectJournal(query: Omit<JournalQuery, 'follow'>): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  for await (const entry of readJournal(query)) entries.push(entry);
  return entries;
}

function journalArguments(query: JournalQuery): string[] {
  const args = ['--output=json', '--no-pager', '--quiet'];
  if (query.since !== undefined) args.push(`--since=@${Math.floor(query.since.getTime() / 1000)}`);
  if (query.thisBoot === true) args.push('--boot');
  if (query.lines !== undefined) args.push(`--lines=${query.lines}`);
  if (query.follow === true) args.push('--follow');
  if (query.wholeHistory === true) args.push('--no-tail');
  return [...args, ...(query.eventsOnly === true ? eventMatches(query) : unitArguments(query))];
}

function unitArguments({scope, units}: JournalQuery): string[] {
  return units.map((unit) => (scope === 'user' ? `--user-unit=${unit}` : `--unit=${unit}`));
}

/**
 * Any process may write UNIT= into the journal, but only the machine's manager has process id 1, and only the
 * user's own processes have the user's id.
 */
function eventMatches({scope, units}: JournalQuery): string[] {
  return scope === 'user'
    ? [`_UID=${userInfo().uid}`, '_SYSTEMD_USER_UNIT=init.scope', ...units.map((unit) => `USER_UNIT=${unit}`)]
    : ['_PID=1', ...units.map((unit) => `UNIT=${unit}`)];
}

function refuse(status: number | Error, errors: string): void {
  if (status instanceof Error || status === NOT_INSTALLED) {
    throw new AtomctlError('SYSTEMD_UNAVAILABLE', 'This machine has no journalctl.', {
      hint: WITHOUT_SYSTEMD,
      cause: status,
    });
  }
  if (NOT_ALLOWED.test(errors)) {
    throw new AtomctlError('SYSTEMD_REFUSED', 'This user has no permission to read the journal.', {
      hint: 'Run it with sudo, or add the user to the group systemd-journal.',
    });
  }
  if (status !== 0) {
    const reason = errors.split('\n', 1)[0]!.trim() || `exit status ${status}`;
    throw new AtomctlError('FAILED', `journalctl failed: ${reason.replace(/\.?$/, '.')}`);
  }
}

/** journalctl prints text that is not UTF-8 as a list of bytes, and several values of one field as a list. */
function fieldText(value: unknown): string {
  if (Array.isArray(value)) {
    return typeof value[0] === 'number' ? Buffer.from(value).toString('utf8') : fieldText(value[0]);
  }
  return typeof value === 'string' ? value : '';
}

function parseEntry(line: string): JournalEntry | null {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line);
  } catch {
    return null;
  }
  const text = (name: string) => fieldText(fields[name]);
  const unit =
    text('USER_UNIT') || text('UNIT') || text('_SYSTEMD_USER_UNIT') || text('_SYSTEMD_UNIT') || null;
  return {
    at: new Date(Number(text('__REALTIME_TIMESTAMP')) / 1000),
    unit,
    pid: Number(text('_PID')) || null,
    message: text('MESSAGE'),
    messageId: text('MESSAGE_ID') || null,
  };
}
