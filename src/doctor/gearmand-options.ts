import {readFile} from 'node:fs/promises';
import {GEARMAN_PORT} from '../gearman/address.ts';
import type {GearmandProcess} from '../processes/read-processes.ts';

/** The options of a gearmand that matter here, by their long names. */
export type GearmandOptions = ReadonlyMap<string, string>;

const LONG_NAMES: Record<string, string> = {p: 'port', q: 'queue-type', j: 'job-retries'};
/** gearmand reads it where no other is named; its command line wins. */
const CONFIG_FILE = '/etc/gearmand.conf';

/**
 * The options of the gearmand (the server in C) that serves a port on this host, from its command line and its
 * configuration file. Null where none is found, or several are: in containers each may have the same port.
 */
export async function findGearmand(
  port: number,
  processes: readonly GearmandProcess[],
): Promise<GearmandOptions | null> {
  const found: GearmandOptions[] = [];
  for (const {argv} of processes) {
    const options = await withConfigFile(parseOptions(argv.slice(1)));
    if (Number(options.get('port') ?? GEARMAN_PORT) === port) found.push(options);
  }
  return found.length === 1 ? found[0]! : null;
}

async function withConfigFile(given: Map<string, string>): Promise<GearmandOptions> {
  const file = await readFile(given.get('config-file') ?? CONFIG_FILE, 'utf8').catch(() => '');
  return new Map([...parseConfigFile(file), ...given]);
}

/** `--name=value`, `--name value`, `-nvalue`, `-n value`, by long names; an option without a value has an empty one. */
export function parseOptions(words: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const [index, word] of words.entries()) {
    const [, long, short, attached] = /^(?:--([\w-]+)|-(\w))=?(.*)$/s.exec(word) ?? [];
    const name = long ?? LONG_NAMES[short ?? ''];
    if (name === undefined) continue;
    const next = words[index + 1] ?? '';
    options.set(name, attached || (next.startsWith('-') ? '' : next));
  }
  return options;
}

/** Lines `name = value`; `#` begins a comment. */
export function parseConfigFile(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/^[ \t]*([\w-]+)[ \t]*=[ \t]*([^#\n]*)/gm)];
  return new Map(pairs.map(([, name, value]) => [name!, value!.trim()]));
}
