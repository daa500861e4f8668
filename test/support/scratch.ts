import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import type {Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

let base: string | undefined;
let watchdog: ChildProcess | undefined;

/**
 * A new empty directory, gone once this process has ended, whichever way that comes about: a watchdog reads a
 * pipe whose other end only this process holds. The second's pause lets servers die first (see server-process).
 */
export function createScratch(label: string): string {
  base ??= guardedDirectory();
  return mkdtempSync(join(base, `${label}-`));
}

/** Removes all scratch directories of this process at once, for those who leave in good order. */
export function removeScratch(): void {
  watchdog?.kill('SIGKILL');
  if (base !== undefined) rmSync(base, {recursive: true, force: true});
  base = undefined;
}

function guardedDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'atomctl-'));
  watchdog = spawn('/bin/sh', ['-c', 'cat >/dev/null; sleep 1; rm -rf "$0"', directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  (watchdog.stdin as Socket).unref();
  watchdog.unref();
  return directory;
}
