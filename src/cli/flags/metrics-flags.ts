import {Flags} from '@oclif/core';

/** Metrics for Prometheus: printed, or written to a file for node_exporter's textfile collector. */
export const metricsFlags = {
  prometheus: Flags.boolean({
    summary: 'Print Prometheus metrics; with --site, they have the label site.',
    exclusive: ['json'],
  }),
  output: Flags.string({
    char: 'o',
    summary: 'Write the metrics to a file, completely or not at all.',
    helpValue: 'FILE',
    dependsOn: ['prometheus'],
  }),
};

interface MetricsFlags {
  site?: string;
  output?: string;
}

/**
 * Returns the text for stdout: the metrics, or nothing if they were written to a file. If a site is named, each metric
 * has it as a label: files of several sites in one directory must not hold the same series.
 * @throws AtomctlError OUTPUT_FAILED; USAGE if the path is not a regular file
 */
export async function deliverMetrics(
  {site, output}: MetricsFlags,
  render: (labels: Readonly<Record<string, string>>) => string,
): Promise<string> {
  const text = render(site === undefined ? {} : {site});
  if (output === undefined) return text;
  const {writeWholeFile} = await import('../../files/write-whole-file.ts');
  await writeWholeFile({path: output, chunks: once(text), force: true, mode: 0o666, uid: process.geteuid!()});
  return '';
}

async function* once(text: string): AsyncIterable<string> {
  yield text;
}
