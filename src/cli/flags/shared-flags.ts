import {Args, Flags} from '@oclif/core';
import {usageError} from '../../errors.ts';

const SITE_GROUP = 'SITE';

/** What oclif passes to a parser: the token on the command line, or none if the value comes from a variable. */
interface Given {
  token?: {type: 'arg' | 'flag'};
}

/** A value's origin in brackets: its flag or variable; nothing for an argument. */
function originText({token}: Given, {name, env}: {name: string; env?: string}): string {
  if (token === undefined) return ` (${env ?? name})`;
  return token.type === 'flag' ? ` (--${name})` : '';
}

/** Reads a whole number of at least `min`. @throws AtomctlError USAGE naming the value and where it came from */
export function wholeNumber(min: number, what: string) {
  return async (text: string, given: Given, option: {name: string; env?: string}): Promise<number> => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < min) {
      const wrong = `"${text}"${originText(given, option)}`;
      throw usageError(`${wrong} is not a valid ${what}.`, `Give a whole number of at least ${min}.`);
    }
    return value;
  };
}

/** Reads a number of seconds of at least `min`, fractions allowed. @throws AtomctlError USAGE as wholeNumber does */
export function secondsFrom(min: number) {
  return async (text: string, given: Given, option: {name: string; env?: string}): Promise<number> => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text.trim()) || value < min || value > 86_400) {
      const wrong = `"${text}"${originText(given, option)}`;
      throw usageError(
        `${wrong} is not a valid number of seconds.`,
        `Give a number from ${min} to 86400, for example 5.`,
      );
    }
    return value;
  };
}

const ON = ['1', 'true', 'yes'];
const OFF = ['', '0', 'false', 'no'];

/**
 * Reads a variable that is on or off; unset is off. It is read here because oclif takes every unknown value for off.
 * @throws AtomctlError USAGE naming value and variable
 */
export function switchVariable(name: string, env: Readonly<Record<string, string | undefined>>): boolean {
  const text = env[name] ?? '';
  const value = text.trim().toLowerCase();
  if (ON.includes(value)) return true;
  if (OFF.includes(value)) return false;
  throw usageError(
    `"${text}" (${name}) is not a valid switch value.`,
    'Valid values: 1, true, yes, 0, false, no.',
  );
}

/** The flags that every command shares. Each value's origin (flag or environment) is kept: see context.ts. */
export const sharedFlags = {
  'atom-root': Flags.string({
    summary:
      'The directory of the AtoM installation; by default, atomctl searches the working directory and the usual places.',
    env: 'ATOMCTL_ROOT',
    helpValue: 'DIR',
    helpGroup: SITE_GROUP,
  }),
  'database-url': Flags.string({
    summary:
      'mysql://user:pass@host:port/db; also ?socketPath=FILE, ?ssl=required|verify-ca|verify-identity&sslCa=FILE.',
    env: 'ATOMCTL_DATABASE_URL',
    helpValue: 'URL',
    helpGroup: SITE_GROUP,
  }),
  'defaults-file': Flags.string({
    summary:
      'A MySQL option file, groups [client] and [atomctl]; it keeps the password out of the process list.',
    env: 'ATOMCTL_DEFAULTS_FILE',
    helpValue: 'FILE',
    helpGroup: SITE_GROUP,
  }),
  gearman: Flags.string({
    summary: "The site's Gearman servers, repeatable or comma-separated; IPv6 as [::1]:4730.",
    env: 'ATOMCTL_GEARMAN',
    helpValue: 'HOST[:PORT]',
    helpGroup: SITE_GROUP,
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
  }),
  'function-prefix': Flags.string({
    summary: 'The function prefix of this site, if atomctl cannot compute it from the root.',
    env: 'ATOMCTL_FUNCTION_PREFIX',
    helpValue: 'P',
    helpGroup: SITE_GROUP,
  }),
  timezone: Flags.string({
    summary: "The timezone of AtoM's timestamps.",
    env: 'ATOMCTL_TIMEZONE',
    helpValue: 'ZONE',
    helpGroup: SITE_GROUP,
  }),
  site: Flags.string({
    summary: "A site of atomctl's configuration file.",
    env: 'ATOMCTL_SITE',
    helpValue: 'NAME',
    helpGroup: SITE_GROUP,
  }),
  config: Flags.string({
    summary: 'Use this configuration file of atomctl, not those of the system and the user.',
    env: 'ATOMCTL_CONFIG',
    helpValue: 'FILE',
    helpGroup: SITE_GROUP,
  }),
  'run-php': Flags.boolean({
    summary: 'Allow atomctl to run php if it cannot read config.php without it.',
    env: 'ATOMCTL_RUN_PHP',
    helpGroup: SITE_GROUP,
  }),
  'read-only': Flags.boolean({
    summary: 'Refuse commands that change the site, its queue or its workers.',
    env: 'ATOMCTL_READ_ONLY',
    helpGroup: SITE_GROUP,
  }),
  timeout: Flags.custom<number>({
    summary: 'Timeout for each connection and reply.',
    env: 'ATOMCTL_TIMEOUT',
    helpValue: 'SECONDS',
    helpGroup: 'GLOBAL',
    default: 5,
    parse: secondsFrom(0.1),
  })(),
  'no-color': Flags.boolean({
    summary: 'Print without colours; NO_COLOR and FORCE_COLOR also work.',
    helpGroup: 'GLOBAL',
  }),
  quiet: Flags.boolean({
    char: 'q',
    summary: 'Print only data and errors.',
    helpGroup: 'GLOBAL',
  }),
};

/** For the commands that ask before they change something. */
export const confirmationFlags = {
  yes: Flags.boolean({char: 'y', summary: 'Do not ask for confirmation.'}),
  'no-confirmation': Flags.boolean({
    char: 'B',
    summary: "The same as --yes, for users of AtoM's own jobs:clear.",
  }),
};

const readJobId = wholeNumber(1, 'job id');

/**
 * A job's id as an argument; if it is missing, oclif must not take it from piped stdin. If several are allowed, one word may be
 * `1,2,3`: oclif expects one value of each word, and BaseCommand makes one list of them.
 */
export const jobIdArg = Args.custom<number>({
  description: "A job's id.",
  ignoreStdin: true,
  parse: async (text, given, arg) => {
    if (arg.multiple !== true) return readJobId(text, given, arg);
    const ids = text.split(',').filter((part) => part.trim() !== '');
    const read = await Promise.all((ids.length > 0 ? ids : [text]).map((id) => readJobId(id, given, arg)));
    return read as unknown as number;
  },
});
