import type {SiteTime} from '../atom/site-time.ts';
import type {ShownWorker} from '../jobs/live/busy-workers.ts';
import {NAME_KINDS, type NameKind} from '../report/patterns.ts';
import type {Redactor, Replaced} from '../report/redact.ts';
import {LOG_LINES, type Part, type ReportParts, type Versions} from '../report/report.ts';
import {renderFindings, renderTally} from './doctor.ts';
import {renderJobDetails} from './jobs/details.ts';
import {renderQueueStatus} from './queue/table.ts';
import {renderQueueWorkers} from './queue/workers.ts';
import {sanitizeBlock, sanitizeLine} from './sanitize.ts';
import type {Screen} from './screen.ts';
import {renderSite} from './site.ts';
import {renderJournalEntry} from './worker.ts';
import {wrapSentences} from './wrap.ts';

/** A part of the report as it was written. */
export interface Section {
  name: keyof ReportParts;
  lines: number;
  /** Why it is not there, one or two sentences; null if it is. */
  missing: string | null;
}

const TITLES: Record<keyof ReportParts, string> = {
  versions: 'Versions',
  config: 'Configuration (atomctl config)',
  queue: 'Queue (atomctl queue:status)',
  workers: 'Workers (atomctl queue:workers)',
  doctor: 'Checks (atomctl doctor)',
  jobs: 'Running jobs',
  journal: "The worker's journal",
};

/** A file: nothing is cut to a width, and there is no colour. */
const FILE: Screen = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};
const LONGEST_LINE = 1000;

interface RenderOptions {
  time: SiteTime;
  now: Date;
  kept: readonly NameKind[];
  redactor: Pick<Redactor, 'redact'>;
}

/** The text of a report and what its sections are. Names and secrets are replaced in all of it. */
export async function renderReport(
  parts: ReportParts,
  {time, now, kept, redactor}: RenderOptions,
): Promise<{text: string; sections: Section[]}> {
  const texts: Record<keyof ReportParts, Part<string>> = {
    versions: await textOf(parts.versions, (versions) => renderVersions(versions, parts)),
    config: await textOf(parts.config, (site) => renderSite(site, FILE)),
    queue: await textOf(parts.queue, (report) => renderQueueStatus(report, FILE, {all: true})),
    workers: await textOf(parts.workers, (workers) => renderWorkers(workers, now)),
    doctor: await textOf(
      parts.doctor,
      (findings) => `${renderFindings(findings, FILE)}\n${renderTally(findings, FILE)}`,
    ),
    jobs: await textOf(parts.jobs, renderJobs),
    journal: await textOf(parts.journal, (entries) =>
      entries.map((entry) => renderJournalEntry(entry, time, true)).join(''),
    ),
  };
  const sections: Section[] = [];
  let whole = header(time.toWall(now), time.zone, kept);
  for (const name of Object.keys(TITLES) as (keyof ReportParts)[]) {
    const text = texts[name];
    const safe = redactor.redact(sanitizeBlock('missing' in text ? sanitizeLine(text.missing) : text.value));
    const body = safe.trimEnd().split('\n').map(shortened);
    whole += `\n== ${TITLES[name]} ==\n\n${'missing' in text ? 'Not available: ' : ''}${body.join('\n')}\n`;
    const missing = 'missing' in text ? safe.trimEnd() : null;
    sections.push({name, lines: missing === null ? body.length : 0, missing});
  }
  return {text: whole, sections};
}

async function textOf<T>(
  part: Part<T>,
  render: (value: T) => string | Promise<string>,
): Promise<Part<string>> {
  return 'missing' in part ? part : {value: await render(part.value)};
}

function shortened(line: string): string {
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE).toWellFormed()}…`;
}

function header(now: string, zone: string, kept: readonly NameKind[]): string {
  const replaced = NAME_KINDS.filter((kind) => !kept.includes(kind));
  const names =
    replaced.length === 0 ? '' : `Replaced by placeholders such as user-1: ${replaced.join(', ')}. `;
  const shown = kept.length === 0 ? '' : `Not replaced (--with): ${kept.join(', ')}. `;
  return `Report of atomctl on an AtoM site, ${now} (${zone})\n${names}${shown}Passwords and tokens are always replaced.\n`;
}

function renderVersions(versions: Versions, {queue}: ReportParts): string {
  const servers = 'value' in queue ? queue.value.status.servers : [];
  const lines: [string, string | null][] = [
    ['atomctl', versions.atomctl],
    ['AtoM', versions.atom],
    ['PHP', versions.php],
    ['database', versions.database],
    ...servers.map(({address, version}): [string, string | null] => [
      'gearmand',
      version && `${version} (${address})`,
    ]),
    ['systemd', versions.systemd],
    ['system', versions.system],
  ];
  return lines
    .map(([name, version]) => `${name.padEnd(10)}${sanitizeLine(version ?? 'not known')}\n`)
    .join('');
}

/** What is read in a forum post is not wider. */
const READABLE = 100;

/** The table, and below it the abilities: in a column of it, each line would have every class of AtoM. */
async function renderWorkers(workers: readonly ShownWorker[], now: Date): Promise<string> {
  const table = await renderQueueWorkers(workers, FILE, now, {countAbilities: true});
  const ids = new Map<string, string[]>();
  for (const {id, abilities} of workers) {
    const all = abilities.join(' ');
    ids.set(all, [...(ids.get(all) ?? []), id]);
  }
  const lines = [...ids].map(([all, of]) => sanitizeLine(`Abilities of ${of.join(', ')}: ${all}`));
  return lines.length === 0 ? table : `${table}\n${wrapSentences(lines.join('\n'), READABLE)}\n`;
}

function renderJobs({jobs, total}: {jobs: Parameters<typeof renderJobDetails>[0][]; total: number}): string {
  if (jobs.length === 0) return 'No job is running.\n';
  const count = total > jobs.length ? `The newest ${jobs.length} of ${total} running jobs:\n\n` : '';
  return count + jobs.map((job) => renderJobDetails(job, FILE, {tail: LOG_LINES})).join('\n');
}

/** What was written, for the person who is to read and post it. What to do about a missing part is in the file. */
export function renderReportSummary(
  {sections, replaced}: {sections: readonly Section[]; replaced: Replaced},
  place: string,
  kept: readonly NameKind[],
): string {
  const lines = sections.map(({name, lines: count, missing}) => {
    const what =
      missing === null
        ? `${count} ${count === 1 ? 'line' : 'lines'}`
        : `not available: ${missing.split(/(?<=[.!?]) (?=[A-Z])/)[0]}`;
    return `  ${name.padEnd(10)}${sanitizeLine(what)}\n`;
  });
  const counts = [...NAME_KINDS, 'secrets' as const]
    .filter((kind) => replaced[kind] > 0)
    .map((kind) => `${kind} ${replaced[kind]}`);
  const shown = kept.length === 0 ? '' : `Not replaced: ${kept.join(', ')}.\n`;
  return `${sanitizeLine(place)}\n${lines.join('')}Replaced: ${counts.join(', ') || 'nothing'}.\n${shown}Read the file before you post it: it may have names that atomctl does not know.\n`;
}
