import {sharedFlags} from './flags.ts';

const WITHOUT_VALUE = new Set(['--json', '-q']);
const WITH_VALUE = new Set<string>();
for (const [name, {type}] of Object.entries(sharedFlags)) {
  (type === 'boolean' ? WITHOUT_VALUE : WITH_VALUE).add(`--${name}`);
}

/**
 * The arguments with the shared flags that stand before the command put behind its own: oclif takes the first word
 * for the command, while systemctl and kubectl take `--json jobs:list` as well as `jobs:list --json`.
 */
export function putCommandFirst(argv: readonly string[]): string[] {
  let command = 0;
  while (command < argv.length && wordsOf(argv[command]!) > 0) command += wordsOf(argv[command]!);
  if (command >= argv.length) return [...argv];
  const rest = argv.slice(command);
  const end = rest.indexOf('--');
  return rest.toSpliced(end === -1 ? rest.length : end, 0, ...argv.slice(0, command));
}

/** How many words a shared flag takes, its value included; 0 for what is none. */
function wordsOf(word: string): number {
  if (WITHOUT_VALUE.has(word)) return 1;
  if (WITH_VALUE.has(word)) return 2;
  return word.includes('=') && WITH_VALUE.has(word.slice(0, word.indexOf('='))) ? 1 : 0;
}
