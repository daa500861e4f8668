const TOPICS = new Set(['jobs', 'queue', 'worker']);

/**
 * The arguments as oclif expects them: `jobs list` becomes `jobs:list`, also behind `help`.
 * Both spellings are supported; the colon form is the one that help shows.
 */
export function joinTopic(argv: readonly string[]): string[] {
  const [first, second, ...rest] = argv;
  if (first === 'help') return [first, ...joinTopic(argv.slice(1))];
  if (first === undefined || second === undefined || !TOPICS.has(first)) return [...argv];
  return /^[a-z][a-z-]*$/.test(second) ? [`${first}:${second}`, ...rest] : [...argv];
}
