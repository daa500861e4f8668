import {Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';
import type {Scope, ServiceManager} from '../../systemd/systemctl.ts';
import type {UnitState} from '../../systemd/unit-state.ts';
import type {AskServers, SiteAbilities} from '../../worker/abilities.ts';
import type {ServiceOptions} from '../../worker/service.ts';
import type {WorkerChoices} from '../../worker/unit-file.ts';
import type {Context} from '../context.ts';
import {secondsFrom, wholeNumber} from '../flags/shared-flags.ts';

const UNIT_GROUP = 'UNIT';

/** Which systemd, and which of its units. */
export const unitFlags = {
  unit: Flags.string({
    summary: 'Only this unit; the default is every service that runs jobs:worker in the site.',
    helpValue: 'NAME',
    delimiter: ',',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: UNIT_GROUP,
  }),
  'user-manager': Flags.boolean({
    summary: 'Use the systemd of this user, not of the system.',
    helpGroup: UNIT_GROUP,
  }),
};

export const sudoFlag = {
  sudo: Flags.boolean({summary: 'Run the commands that change something with sudo.', helpGroup: UNIT_GROUP}),
};

/** Shared by enable, disable and reset. */
export const unitExamples = [
  {
    description: 'For the worker of the site',
    command: '<%= config.bin %> <%= command.id %>',
  },
  {
    description: 'As a user other than root',
    command: '<%= config.bin %> <%= command.id %> --sudo',
  },
  {
    description: 'For one of several workers',
    command: '<%= config.bin %> <%= command.id %> --sudo --unit atom-worker@1',
  },
];

/** Shared by start, stop and restart. */
export const changeFlags = {
  ...unitFlags,
  ...sudoFlag,
  wait: Flags.custom<number>({
    summary: 'Seconds to wait until Gearman shows the change.',
    helpValue: 'SECONDS',
    default: 30,
    parse: secondsFrom(0),
  })(),
};

export const resetFlag = {
  reset: Flags.boolean({summary: "First clear the unit's failure state and its count of starts."}),
};

export interface UnitFlags {
  unit?: string[];
  'user-manager': boolean;
  sudo?: boolean;
}

export function scopeOf(flags: UnitFlags): Scope {
  return flags['user-manager'] ? 'user' : 'system';
}

/** systemd kills a unit that has not ended within its stop timeout, 90 s by default. */
const LONGEST_STOP_SECONDS = 120;

/** systemd, with the scope and timeouts that the flags set. */
export async function serviceManager(context: Context, flags: UnitFlags): Promise<ServiceManager> {
  const {systemctl} = await import('../../systemd/systemctl.ts');
  return systemctl({
    scope: scopeOf(flags),
    sudo: flags.sudo === true,
    readSeconds: context.timeoutSeconds,
    changeSeconds: LONGEST_STOP_SECONDS,
  });
}

export interface FoundWorker {
  manager: ServiceManager;
  units: UnitState[];
}

/** The site's worker units. @throws AtomctlError NO_SITE, SYSTEMD_UNAVAILABLE, NO_SUCH_UNIT */
export async function findWorker(context: Context, flags: UnitFlags): Promise<FoundWorker> {
  const [{findUnits}, manager, site] = await Promise.all([
    import('../../worker/units.ts'),
    serviceManager(context, flags),
    context.site(),
  ]);
  const names = flags.unit ?? [];
  const root = names.length > 0 ? null : await site.requireRoot();
  return {manager, units: await findUnits({manager, root, names})};
}

/** What the functions of worker/ need of a site and its units. */
export async function workerService(
  context: Context,
  {manager, units}: FoundWorker,
  waitSeconds: number,
): Promise<ServiceOptions> {
  const [{readStartLimit}, askServers, site] = await Promise.all([
    import('../../worker/start-limit.ts'),
    serverQuery(context),
    siteAbilities(context),
  ]);
  return {
    manager,
    units,
    site,
    askServers,
    readLimit: (unit) => readStartLimit(unit, manager.scope, context.now()),
    waitSeconds,
  };
}

async function serverQuery(context: Context): Promise<AskServers> {
  const [{askServers}, site] = await Promise.all([import('../../queue/server-report.ts'), context.site()]);
  const addresses = (await site.gearmanServers()).value;
  return () => askServers({addresses, timeoutSeconds: context.timeoutSeconds});
}

async function siteAbilities(context: Context): Promise<SiteAbilities> {
  const site = await context.site();
  const [prefix, workerTypes] = await Promise.all([site.functionPrefix(), site.workerTypes()]);
  return {prefix: prefix.value, workerTypes: workerTypes.value};
}

/** The AtoM root. @throws AtomctlError NO_SITE if none was found */
export async function requireRoot(context: Context): Promise<string> {
  return (await context.site()).requireRoot();
}

/** Options of AtoM's jobs:worker, by AtoM's own names. */
export const workerChoiceFlags = {
  abilities: namesFlag('Run only these job classes.', 'CLASS,...'),
  types: namesFlag('Run only the job classes of these worker types in gearman.yml.', 'TYPE,...'),
  'max-job-count': limitFlag('Exit with status 111 after this many jobs.'),
  'max-mem-usage': limitFlag('Exit with status 111 if PHP uses more memory than this.'),
};

export interface WorkerChoiceFlags {
  abilities?: string[];
  types?: string[];
  'max-job-count'?: number;
  'max-mem-usage'?: number;
}

export function workerChoices(flags: WorkerChoiceFlags): WorkerChoices {
  const {abilities, types, 'max-job-count': maxJobCount, 'max-mem-usage': maxMemUsage} = flags;
  return {abilities: abilities?.join(','), types: types?.join(','), maxJobCount, maxMemUsage};
}

function namesFlag(summary: string, helpValue: string) {
  return Flags.custom<string>({
    summary,
    helpValue,
    delimiter: ',',
    multiple: true,
    multipleNonGreedy: true,
    parse: async (text, _, {name}) => {
      if (/^\w+$/.test(text)) return text;
      throw usageError(`"${text}" (--${name}) is not a valid name.`, 'Give names separated by commas.');
    },
  })({multiple: true});
}

function limitFlag(summary: string) {
  return Flags.custom<number>({summary, helpValue: 'N', parse: wholeNumber(1, 'limit')})();
}
