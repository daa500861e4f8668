import {closeSync, constants, fstatSync, openSync} from 'node:fs';
import {join} from 'node:path';
import {AtomctlError} from '../../errors.ts';
import {directoryOwner, setpriv} from '../../php/php-user.ts';
import {minimal} from '../../php/run-php.ts';
import {sanitizeBlock} from '../../render/sanitize.ts';
import type {OtherUser} from '../../worker/run-foreground.ts';

const SHELL = '/bin/sh';
const LOCALE = /^(LANG|LANGUAGE|LC_\w+)$/;

/**
 * As whom `worker:run` runs the worker: null for the caller, if that is not root. Root runs it as the owner of the
 * AtoM root, whose scripts they are, with an environment as systemd would give it and AtoM's container variables.
 * @throws AtomctlError REFUSED if the owner is root or has no account, or if others may change the script
 */
export async function workerUser(
  root: string,
  {callerUid = process.geteuid!(), env}: {callerUid?: number; env: Readonly<NodeJS.ProcessEnv>},
): Promise<OtherUser | null> {
  if (callerUid !== 0) return null;
  const directory = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    if (fstatSync(directory).uid === 0)
      throw refused(`${root} belongs to root, and a worker must not run as root.`);
    const owner = await directoryOwner(join(root, 'symfony'), {directory, env: minimal(env)});
    if ('refusal' in owner) throw refused(`atomctl does not run ${root}/symfony: ${owner.refusal}.`);
    const {name, home} = owner;
    const locale = Object.fromEntries(Object.entries(env).filter(([variable]) => LOCALE.test(variable)));
    return {
      command: setpriv(owner),
      env: {...minimal(env), ...locale, HOME: home, USER: name, LOGNAME: name, SHELL},
      directory,
      sanitize: sanitizeBlock,
    };
  } catch (error) {
    closeSync(directory);
    throw error;
  }
}

function refused(message: string): AtomctlError {
  return new AtomctlError('REFUSED', message, {
    hint: "Run it as the worker's user: sudo -u www-data atomctl worker:run",
  });
}
