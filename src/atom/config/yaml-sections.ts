import type {ScalarTag} from 'yaml';
import {AtomctlError, cannotBeRead, usageError} from '../../errors.ts';
import {MOST_BYTES, readFile, realpath, tooLarge} from '../../files/sync-files.ts';
import type {PhpOptions} from '../../php/run-php.ts';
import {NotStaticError, readPhpScript} from '../../php/script.ts';
import type {PhpArray, PhpValue} from '../../php/value.ts';

/** A placeholder for what a PHP tag prints, if it cannot be evaluated here. */
const UNREADABLE = 'atomctl-cannot-evaluate-this-php';

const HINT_RUN = 'If you trust the file, let php run it with --run-php.';

/** Whether a value depends on PHP that could not be evaluated. */
export function holdsUnreadable(value: PhpValue): boolean {
  if (value instanceof Map) return [...value.values()].some(holdsUnreadable);
  return typeof value === 'string' && value.includes(UNREADABLE);
}

export interface YamlSections {
  sections: PhpArray;
  /** Why `php` could not evaluate the file, as a clause; null if it was not needed, not allowed, or succeeded. */
  phpFailure: string | null;
}

/**
 * The sections of one of AtoM's YAML files as sfYaml reads it; null if there is no such file. An empty section is
 * left out, as symfony does: `prod:` with nothing below hides nothing.
 * @throws AtomctlError USAGE if the file cannot be read, is too large or is not valid YAML
 */
export async function readYamlSections(file: string, options: PhpOptions): Promise<YamlSections | null> {
  const source = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
    throw cannotBeRead(file, cause);
  });
  if (source === null) return null;
  const {text, phpFailure} = await expandPhp(source, file, options);
  // A short tag can print a long text, and another one prints it again.
  if (text.length > MOST_BYTES) throw tooLarge(`${file}, with what its PHP prints,`);
  const parsed = await parseYaml(text, file);
  const sections = parsed instanceof Map ? [...parsed].filter(([, section]) => section !== null) : [];
  return {sections: new Map(sections), phpFailure};
}

interface ExpandedPhp {
  text: string;
  phpFailure: string | null;
}

/** sfYaml includes a file as PHP before it parses it: statically here, by `php` if that is needed and allowed. */
async function expandPhp(source: string, file: string, {env, php}: PhpOptions): Promise<ExpandedPhp> {
  if (!source.includes('<?')) return {text: source, phpFailure: null};
  const options = {file: await realpath(file).catch(() => file), env};
  try {
    return {text: (await readPhpScript(source, options)).output, phpFailure: null};
  } catch (error) {
    if (!(error instanceof NotStaticError)) throw error;
  }
  const run = php ? await (await import('../../php/run-php.ts')).runPhp(file, {env, php}) : null;
  if (run?.ran) return {text: run.output, phpFailure: null};
  const phpFailure = run?.reason ?? null;
  // Most keys of these files are not needed here: an unknown value matters only when it is requested.
  try {
    const withPlaceholder = {...options, placeholder: UNREADABLE};
    return {text: (await readPhpScript(keepLineEnds(source), withPlaceholder)).output, phpFailure};
  } catch (error) {
    if (!(error instanceof NotStaticError)) throw error;
    if (phpFailure === null)
      throw usageError(`${file} cannot be read without PHP: ${error.message}.`, HINT_RUN);
    throw usageError(`${file} cannot be read without PHP (${error.message}), and ${phpFailure}.`);
  }
}

/** PHP drops the line break after a tag. Files that need one print it, and the placeholder would lose it. */
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
    throw usageError(
      `${file}:${lineCounter.linePos(error.pos[0]).line} is not valid YAML: ${error.message}.`,
    );
  }
  try {
    return toPhpValue(document.toJS({mapAsMap: true}));
  } catch (cause) {
    // An alias without its anchor, or aliases that expand without limit.
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
