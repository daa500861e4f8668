import {hostname, userInfo} from 'node:os';

/** The user whom this process runs as; a container's user often has a number and no name. */
export function processUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

/** Who is at the keyboard and where, `user@host`: behind sudo, the one who typed it. */
export function caller(): string {
  return `${process.env.SUDO_USER || processUser()}@${hostname()}`;
}
