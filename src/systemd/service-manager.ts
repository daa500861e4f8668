import type {UnitState} from './unit-state.ts';

/** The machine's service manager, or that of the user who runs this. */
export type Scope = 'system' | 'user';

/** What can be done to a unit, in systemctl's words. */
export type Verb = 'start' | 'stop' | 'restart' | 'enable' | 'disable' | 'reset-failed';

/**
 * systemd, as far as atomctl needs it. Every method throws AtomctlError:
 * SYSTEMD_UNAVAILABLE (no systemd runs here, as in most containers), SYSTEMD_REFUSED (no permission; the hint
 * is the command to run), NO_SUCH_UNIT, or FAILED with what systemd said.
 */
export interface ServiceManager {
  readonly scope: Scope;
  /** The named units in the given order; one that does not exist has `load: 'not-found'`. */
  show(names: readonly string[]): Promise<UnitState[]>;
  /** All services that systemd has in memory: those that run, failed, or are to be started with the machine. */
  services(): Promise<UnitState[]>;
  /** Where it looks for unit files, the first found winning. */
  directories(): Promise<string[]>;
  /** Carries the verb out and waits until systemd has done it; the service itself may take longer to be ready. */
  change(verb: Verb, name: string): Promise<void>;
  /** Reads changed unit files. */
  reload(): Promise<void>;
}

/** `atom-worker` and `atom-worker@1` are short for the service of that name. */
export function serviceName(name: string): string {
  return /\.[a-z]+$/.test(name) ? name : `${name}.service`;
}
