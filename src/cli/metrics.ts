import {Flags} from '@oclif/core';

/** Metrics for Prometheus: printed, or written where node_exporter's textfile collector looks. */
export const metricsFlags = {
  prometheus: Flags.boolean({
    summary: 'Print Prometheus metrics, labelled with the site where --site names one.',
    exclusive: ['json'],
  }),
  output: Flags.string({
    char: 'o',
    summary: 'Write the metrics to this file, whole or not at all.',
    helpValue: 'FILE',
    dependsOn: ['prometheus'],
  }),
};

interface MetricsFlags {
  site?: string;
  output?: string;
}

/**
 * What goes to stdout: the metrics, or nothing where they went to a file, beside its place first and then renamed.
 * Each is labelled with the site that was named: several sites' files in one directory must not hold the same series.
 * @throws AtomctlError OUTPUT_FAILED, or USAGE where the path is no plain file
 */
export async function deliverMetrics(
  {site, output}: MetricsFlags,
  render: (labels: Readonly<Record<string, string>>) => string,
): Promise<string> {
  const text = render(site === undefined ? {} : {site});
  if (output === undefined) return text;
  const {writeHistoryFile} = await import('../files/write-whole-file.ts');
  await writeHistoryFile({path: output, chunks: once(text), force: true});
  return '';
}

async function* once(text: string): AsyncIterable<string> {
  yield text;
}
