import {readFileSync} from 'node:fs';

/** The name of an account in /etc/passwd; null for one that is not local. Nothing is run to find it. */
export function accountName(uid: number): string | null {
  let accounts = '';
  try {
    accounts = readFileSync('/etc/passwd', 'utf8');
  } catch {
    // Then no name is known.
  }
  return (
    accounts
      .split('\n')
      .find((line) => line.split(':')[2] === String(uid))
      ?.split(':')[0] ?? null
  );
}
