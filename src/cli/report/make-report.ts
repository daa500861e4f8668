import {renderReport, type Section} from '../../render/report.ts';
import type {NameKind} from '../../report/patterns.ts';
import {Redactor, type Replaced} from '../../report/redact.ts';
import type {ReportParts} from '../../report/report.ts';
import {jobWithoutNames, journalWithoutNames} from '../../report/without-names.ts';
import type {Context} from '../context.ts';
import {type CollectOptions, collectParts} from './collect-parts.ts';
import {namesInDatabase, namesOfSite} from './known-names.ts';

export interface ReportOptions extends CollectOptions {
  kept: readonly NameKind[];
  env: Readonly<Record<string, string | undefined>>;
  argv: readonly string[];
}

export interface MadeReport {
  /** Without names and secrets. */
  text: string;
  sections: Section[];
  replaced: Replaced;
}

/** The report on a site, without the names that are not kept. @throws AtomctlError USAGE if a setting is wrong */
export async function makeReport(context: Context, options: ReportOptions): Promise<MadeReport> {
  const {kept, env, argv} = options;
  const parts = await collectParts(context, options);
  const stored = await namesInDatabase(context, parts);
  const known = typeof stored === 'string' ? [] : stored;
  const redactor = new Redactor({names: [...(await namesOfSite(context, env, argv)), ...known], kept});
  const safe = withoutNames(
    typeof stored === 'string' && !keepsAllNames(kept) ? withoutFreeText(parts, stored) : parts,
    redactor,
  );
  const time = await context.time();
  const {text, sections} = await renderReport(safe, {time, now: context.now(), kept, redactor});
  return {text, sections, replaced: redactor.replaced()};
}

/** The kinds that only the database knows. */
function keepsAllNames(kept: readonly NameKind[]): boolean {
  return (['users', 'titles', 'files'] as const).every((kind) => kept.includes(kind));
}

/** What jobs wrote may name anybody, and whom is not known. */
function withoutFreeText(parts: ReportParts, reason: string): ReportParts {
  const missing = `It is omitted because atomctl could not read the names to replace in it: ${reason} To include it: --with users,titles,files`;
  return {
    ...parts,
    jobs: 'missing' in parts.jobs ? parts.jobs : {missing},
    journal: 'missing' in parts.journal ? parts.journal : {missing},
  };
}

function withoutNames({jobs, journal, ...parts}: ReportParts, redactor: Redactor): ReportParts {
  return {
    ...parts,
    jobs:
      'missing' in jobs
        ? jobs
        : {value: {...jobs.value, jobs: jobs.value.jobs.map((job) => jobWithoutNames(job, redactor))}},
    journal: 'missing' in journal ? journal : {value: journalWithoutNames(journal.value, redactor)},
  };
}
