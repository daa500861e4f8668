const TOPICS = new Set(['jobs', 'queue', 'worker']);

/** oclif knows no flag whose value may be left out: what such a flag then stands for. */
const WITHOUT_VALUE: Readonly<Record<string, string>> = {'--watch': '--watch=2'};

/**
 * The arguments as oclif expects them: `jobs list` becomes `jobs:list`, also behind `help`, and `--watch` alone gets
 * its default. Both spellings are supported; the colon form is the one that help shows.
 */
export function joinTopic(argv: readonly string[]): string[] {
  const [first, second, ...rest] = argv;
  if (first === 'help') return [first, ...joinTopic(argv.slice(1))];
  if (first === undefined || second === undefined || !TOPICS.has(first)) return withValues(argv);
  return /^[a-z][a-z-]*$/.test(second) ? [`${first}:${second}`, ...withValues(rest)] : withValues(argv);
}

/** What comes after `--` is no flag. */
function withValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((text, index) => (end === -1 || index < end ? (WITHOUT_VALUE[text] ?? text) : text));
}
