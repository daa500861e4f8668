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

/** An account of this host with all its groups. */
export interface LocalAccount {
  name: string;
  uid: number;
  gids: ReadonlySet<number>;
}

/** An account by name or id, from /etc/passwd and /etc/group; null if it is not there. Nothing is run to find it. */
export async function localAccount(
  user: string,
  {passwd = '/etc/passwd', group = '/etc/group'} = {},
): Promise<LocalAccount | null> {
  const [accounts, groups] = await Promise.all([passwd, group].map(fieldsOf));
  const found = accounts!.find(([name, , uid]) => name === user || uid === user);
  if (found === undefined) return null;
  const [name = '', , uid, gid] = found;
  const others = groups!.filter(([, , , members = '']) => members.split(',').includes(name));
  return {name, uid: Number(uid), gids: new Set([gid, ...others.map(([, , id]) => id)].map(Number))};
}

async function fieldsOf(file: string): Promise<string[][]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.split(':'));
}
