/**
 * The arguments with the shared flags that stand before the command put behind its own: oclif takes the first word
 * for the command, while systemctl and kubectl take `--json jobs:list` as well as `jobs:list --json`.
 */
export async function putCommandFirst(argv: readonly string[]): Promise<string[]> {
  if (!argv[0]?.startsWith('-')) return [...argv];
  const wordsOf = await sharedFlagWords();
  let command = 0;
  while (command < argv.length && wordsOf(argv[command]!) > 0) command += wordsOf(argv[command]!);
  if (command >= argv.length) return [...argv];
  const rest = argv.slice(command);
  const end = rest.indexOf('--');
  return rest.toSpliced(end === -1 ? rest.length : end, 0, ...argv.slice(0, command));
}

/** Tells how many words a shared flag takes, its value included; 0 for what is none. */
async function sharedFlagWords(): Promise<(word: string) => number> {
  const {sharedFlags} = await import('./shared-flags.ts');
  const words = new Map([
    ['--json', 1],
    ['-q', 1],
  ]);
  for (const [name, {type}] of Object.entries(sharedFlags))
    words.set(`--${name}`, type === 'boolean' ? 1 : 2);
  return (word) => {
    const [name, value] = word.split('=', 2);
    const count = words.get(name!) ?? 0;
    return value === undefined ? count : Math.min(count, 1);
  };
}
