import {readdir, readFile, realpath} from 'node:fs/promises';
import {dirname, isAbsolute, join} from 'node:path';
import {AtomctlError} from '../errors.ts';
import {type ServiceManager, serviceName} from '../systemd/systemctl.ts';
import type {UnitState} from '../systemd/unit-state.ts';

/** The symfony task that is AtoM's worker. */
const WORKER_TASK = 'jobs:worker';

export interface FindUnitsOptions {
  manager: ServiceManager;
  /** The AtoM root, symbolic links resolved; null if there is none. */
  root: string | null;
  /** Units named by the user; empty to search. */
  names: readonly string[];
}

/**
 * The worker units of a site: the named ones, else every service whose command holds `jobs:worker` and that runs
 * in the site's root, instances of templates included. Names vary from site to site, so they are not used.
 * @throws AtomctlError NO_SUCH_UNIT if a named unit does not exist or none is found; what the manager throws
 */
export async function findUnits(options: FindUnitsOptions): Promise<UnitState[]> {
  return options.names.length > 0 ? namedUnits(options) : searchUnits(options);
}

async function namedUnits({manager, names}: FindUnitsOptions): Promise<UnitState[]> {
  const units = await manager.show([...new Set(names.map(serviceName))]);
  const absent = units.find((unit) => unit.load === 'not-found');
  if (absent !== undefined) {
    throw new AtomctlError('NO_SUCH_UNIT', `systemd has no unit ${absent.name}.`, {
      hint: 'To search for the worker, omit --unit; to install a unit: atomctl worker:unit --install',
    });
  }
  return units;
}

async function searchUnits({manager, root}: FindUnitsOptions): Promise<UnitState[]> {
  if (root === null) {
    throw new AtomctlError(
      'NO_SUCH_UNIT',
      'No AtoM installation was found, so atomctl cannot find its worker.',
      {
        hint: 'Give --atom-root DIR, or --unit NAME.',
      },
    );
  }
  const candidates = [...(await manager.services()), ...(await unloadedWorkers(manager))];
  const workers = byName(candidates.filter(isWorker));
  const ours = await Promise.all(workers.map((unit) => runsIn(unit, root)));
  const found = workers.filter((_, index) => ours[index]);
  if (found.length > 0) return found;
  const elsewhere = workers.map(({name}) => name).join(', ');
  throw new AtomctlError(
    'NO_SUCH_UNIT',
    `No unit of the ${manager.scope} manager runs jobs:worker in ${root}.${elsewhere && ` Units of other directories: ${elsewhere}.`}`,
    {
      hint: `Give one with --unit, install one with atomctl worker:unit --install${manager.scope === 'system' ? ', or use a user manager with --user-manager' : ''}.`,
    },
  );
}

/**
 * Worker units that are stopped and not enabled: systemd does not have them in memory, and loading every unit file
 * that there is takes it a second or more, so those that mention the worker are picked first.
 */
async function unloadedWorkers(manager: ServiceManager): Promise<UnitState[]> {
  const names = await Promise.all((await manager.directories()).map(workerFilesIn));
  return manager.show([...new Set(names.flat())]);
}

/** The names of the unit files that mention the worker. A template (`atom-worker@.service`) is not a unit itself; its instances are in memory or do not exist. */
export async function workerFilesIn(directory: string): Promise<string[]> {
  const files = await readdir(directory).catch(() => []);
  const names = files.filter((name) => name.endsWith('.service') && !name.endsWith('@.service'));
  const texts = await Promise.all(
    names.map((name) => readFile(join(directory, name), 'utf8').catch(() => '')),
  );
  return names.filter((_, index) => texts[index]!.includes(WORKER_TASK));
}

function isWorker({command}: UnitState): boolean {
  return command.includes(WORKER_TASK);
}

/** Each once, in the order of their names: a service turns up twice if it has an alias. */
function byName(units: readonly UnitState[]): UnitState[] {
  const found = new Map(units.map((unit) => [unit.name, unit]));
  return [...found.values()].sort((one, other) => one.name.localeCompare(other.name));
}

/** By its working directory, or by the path of the `symfony` script in its command. */
async function runsIn(unit: UnitState, root: string): Promise<boolean> {
  const [script] = /\S*\bsymfony(?=\s)/.exec(unit.command) ?? [''];
  const directory = isAbsolute(script)
    ? dirname(script)
    : join(unit.workingDirectory ?? '/', dirname(script || '.'));
  return (await realpath(directory).catch(() => directory)) === root;
}
