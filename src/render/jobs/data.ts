import {renderCsv} from '../csv.ts';
import {sanitizeJson} from '../sanitize.ts';
import {renderTsv} from '../tsv.ts';
import {dataCell, type JobColumn, type ListedJob} from './columns.ts';

/** How a list of jobs is printed for a program. */
export interface JobData {
  format: 'jsonl' | 'csv' | 'tsv' | 'ids';
  columns: readonly JobColumn[];
  /** Whether the first line has the names of the columns. */
  header: boolean;
  /** Whether the jobs are those of several sites: each row then begins with its site. */
  sites: boolean;
}

interface SiteJobs {
  site: string | null;
  part: readonly ListedJob[];
}

/** The jobs in chunks as they come, in their order. */
export function renderJobData(
  pages: AsyncIterable<SiteJobs>,
  {format, columns, header, sites}: JobData,
): AsyncIterable<string> {
  switch (format) {
    case 'ids':
      return chunks(pages, ({id}) => String(id));
    case 'jsonl':
      return chunks(pages, (job, site) => sanitizeJson(JSON.stringify(site === null ? job : {site, ...job})));
    default: {
      const names = sites ? ['site', ...columns] : columns;
      const options = {header, escapeFormulas: true, bom: false};
      return (format === 'csv' ? renderCsv : renderTsv)(names, cells(pages, columns), options);
    }
  }
}

async function* chunks(
  pages: AsyncIterable<SiteJobs>,
  line: (job: ListedJob, site: string | null) => string,
): AsyncIterable<string> {
  for await (const {site, part} of pages) yield part.map((job) => `${line(job, site)}\n`).join('');
}

async function* cells(
  pages: AsyncIterable<SiteJobs>,
  columns: readonly JobColumn[],
): AsyncIterable<string[][]> {
  for await (const {site, part} of pages) {
    yield part.map((job) => [
      ...(site === null ? [] : [site]),
      ...columns.map((column) => dataCell(column, job)),
    ]);
  }
}
