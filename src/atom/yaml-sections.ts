import type {ScalarTag} from 'yaml';
import {AtomctlError, usageError} from '../errors.ts';
import {readFile, realpath} from './files.ts';
import {NotStaticError, readPhpScript} from './php-script.ts';
import type {PhpArray, PhpValue} from './php-value.ts';
import {runPhp} from './run-php.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Stands for what a PHP tag would print and nobody here can evaluate. */
const UNREADABLE = 'atomctl-cannot-evaluate-this-php';

/** Whether a value hangs on PHP that could not be evaluated. */
export function holdsUnreadable(value: PhpValue): boolean {
  if (value instanceof Map) return [...value.values()].some(holdsUnreadable);
  return typeof value === 'string' && value.includes(UNREADABLE);
}

/**
 * The sections of one of AtoM's YAML files as sfYaml reads it; null where there is no such file. An empty section is
 * left out, as symfony does: `prod:` with nothing below hides nothing.
 * @throws AtomctlError USAGE where the file cannot be read or is no YAML
 */
export async function readYamlSections(file: string, env: Environment): Promise<PhpArray | null> {
  const source = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
    const hint = 'Run as a user who may read it.';
    throw new AtomctlError('USAGE', `${file} cannot be read (${cause.code}).`, {hint, cause});
  });
  if (source === null) return null;
  const sections = await parseYaml(await expandPhp(source, file, env), file);
  if (!(sections instanceof Map)) return new Map();
  return new Map([...sections].filter(([, section]) => section !== null));
}

/** sfYaml includes a file as PHP before it parses it: statically here, by `php` where that does not do. */
async function expandPhp(source: string, file: string, env: Environment): Promise<string> {
  if (!source.includes('<?')) return source;
  const options = {file: await realpath(file), env};
  try {
    return (await readPhpScript(source, options)).output;
  } catch (error) {
    if (!(error instanceof NotStaticError)) throw error;
  }
  const run = await runPhp(options.file, env);
  if (run.ran) return run.output;
  // Most keys of these files are of no interest here, so one that stays unknown does no harm until it is asked for.
  try {
    return (await readPhpScript(keepLineEnds(source), {...options, placeholder: UNREADABLE})).output;
  } catch (error) {
    if (!(error instanceof NotStaticError)) throw error;
    throw usageError(`${file} needs php to be read (${error.message}), and ${run.reason}.`);
  }
}

/** PHP drops a line's end after a tag; files that mean to have one print it, and it would be lost with the rest. */
function keepLineEnds(source: string): string {
  return source.replace(/\?>(\r?\n)/g, '?>$1$1');
}

async function parseYaml(text: string, file: string): Promise<PhpValue> {
  const {LineCounter, parseDocument} = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    customTags: (tags) => [OCTAL, ...tags],
    intAsBigInt: true,
    lineCounter,
    merge: true,
    prettyErrors: false,
    uniqueKeys: false,
  });
  // sfYaml lets a plain scalar begin with %, @ or a backtick, and AtoM's files have `%SF_WEB_DIR%/uploads`.
  const error = document.errors.find(({code}) => code !== 'BAD_SCALAR_START');
  if (error) {
    throw usageError(`${file}:${lineCounter.linePos(error.pos[0]).line} is no YAML: ${error.message}.`);
  }
  try {
    return toPhpValue(document.toJS({mapAsMap: true}));
  } catch (cause) {
    // An alias without its anchor, or aliases that multiply without end.
    throw new AtomctlError('USAGE', `${file} has an alias that cannot be resolved.`, {cause});
  }
}

/** sfYaml reads digits behind a zero as an octal number, as PHP does. */
const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^0[0-7]+$/,
  resolve: (text) => BigInt(`0o${text.slice(1)}`),
};

function toPhpValue(value: unknown): PhpValue {
  const entries = Array.isArray(value) ? [...value.entries()] : value instanceof Map ? [...value] : null;
  if (entries === null) return value as PhpValue;
  return new Map(entries.map(([key, entry]) => [String(key), toPhpValue(entry)]));
}
