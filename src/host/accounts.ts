import {readFile} from 'node:fs/promises';

/**
 * The ids of these users, as systemd units name them: by name or by id. A name that is not in /etc/passwd has none
 * here: nothing is run to find it.
 */
export async function userIds(names: readonly string[], passwd = '/etc/passwd'): Promise<Set<number>> {
  const ids = names.filter((name) => /^\d{1,10}$/.test(name)).map(Number);
  if (ids.length === names.length) return new Set(ids);
  const text = await readFile(passwd, 'utf8').catch(() => '');
  const accounts = new Map(text.split('\n').map((line) => [line.split(':')[0]!, Number(line.split(':')[2])]));
  const found = names.flatMap((name) => accounts.get(name) ?? []);
  return new Set([...ids, ...found.filter(Number.isInteger)]);
}
