import {dirname, join, resolve, sep} from 'node:path';
import {lstat, readFile, stat} from '../../files/sync-files.ts';
import {NotStaticError, notStatic, PhpEvaluator, type PhpNode} from '../../php/expression.ts';
import {type PhpArray, type PhpValue, phpString} from '../../php/value.ts';
import {yamlLayers} from './config-yaml.ts';

/** Environments in which AtoM submits and executes jobs: the web, the worker, tasks. */
const ENVIRONMENTS = ['prod', 'worker', 'cli'] as const;

/** What the compiled configuration of one environment says; undefined if it has no such file or value. */
export interface CompiledConfig {
  environment: string;
  /** The servers of config_gearman.yml.php as they are written there. */
  servers: {texts: string[]; file: string} | undefined;
  /** app_workers_key of config_app.yml.php. */
  workersKey: {value: PhpValue; file: string} | undefined;
  /** Files that exist and cannot be read or understood. */
  unreadable: string[];
}

/**
 * What AtoM's compiled cache says, by environment. AtoM goes by it until the cache is cleared, whatever the YAML files
 * say. The files are read without PHP: config_gearman.yml.php returns an array, config_app.yml.php hands one to
 * sfConfig::add.
 * @param root the AtoM installation, absolute
 */
export async function readCompiledConfig(root: string): Promise<CompiledConfig[]> {
  return Promise.all(
    ENVIRONMENTS.map(async (environment) => {
      const unreadable: string[] = [];
      const read = async <T>(
        name: string,
        keys: readonly string[],
        pick: (found: PhpArray, file: string) => T,
      ) => {
        const file = compiledFile(root, environment, name);
        try {
          const found = await readValues(file, keys);
          return found === null ? undefined : pick(found, file);
        } catch {
          unreadable.push(file);
          return undefined;
        }
      };
      const servers = await read('gearman', ['servers', 'gearman_servers'], (found, file) => {
        const list = found.get('servers') ?? found.get('gearman_servers');
        return list instanceof Map ? {texts: [...list.values()].map(phpString), file} : undefined;
      });
      const workersKey = await read('app', ['app_workers_key'], (found, file) => ({
        value: found.get('app_workers_key') ?? null,
        file,
      }));
      return {environment, servers, workersKey, unreadable};
    }),
  );
}

/**
 * When what names the servers and the prefix was last modified: the layers of gearman.yml and app.yml with their
 * directories, what they were compiled to, and the links that lead to the root; epoch milliseconds. null if there are none.
 * Infinity if a compiled file cannot be read: what it names is not known, so nothing may rest on its age.
 * @param given the root as it was named, with its links
 */
export async function configModifiedMs(root: string, given = root): Promise<number | null> {
  const compiled = await readCompiledConfig(root);
  if (compiled.some(({unreadable}) => unreadable.length > 0)) return Number.POSITIVE_INFINITY;
  // A file that replaces another may bring an old time with it; its directory shows the change.
  const files = ['gearman', 'app'].flatMap((name) => [
    ...yamlLayers(root, `${name}.yml`).flatMap((file) => [file, dirname(file)]),
    ...ENVIRONMENTS.map((environment) => compiledFile(root, environment, name)),
  ]);
  // Clearing the cache removes what it named.
  files.push(join(root, 'cache'), join(root, 'cache/qubit'));
  const times = await Promise.all([...files.map(modifiedMs), ...linksOf(given).map(linkedMs)]);
  return times.reduce((newest, ms) => (ms === null || (newest !== null && newest > ms) ? newest : ms), null);
}

/** A file that cannot be asked for its time may have changed at any time. */
async function modifiedMs(file: string): Promise<number | null> {
  return stat(file).then(
    ({mtimeMs}) => mtimeMs,
    (error: NodeJS.ErrnoException) => (isAbsent(error) ? null : Number.POSITIVE_INFINITY),
  );
}

/** The root and the directories above it, of which each may be a link that a deploy swaps. */
function linksOf(root: string): string[] {
  const parts = resolve(root).split(sep);
  return parts.map((_, index) => parts.slice(0, index + 1).join(sep)).filter((name) => name !== '');
}

async function linkedMs(file: string): Promise<number | null> {
  const found = await lstat(file).catch(() => null);
  return found?.isSymbolicLink() ? found.mtimeMs : null;
}

function isAbsent({code}: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function compiledFile(root: string, environment: string, name: string): string {
  return join(root, 'cache/qubit', environment, 'config', `config_${name}.yml.php`);
}

/**
 * The values of these keys in the arrays that a compiled file returns or adds to sfConfig; null if there is no such
 * file. Other entries are not evaluated: app.yml has some that only PHP knows.
 * @throws if the file cannot be read or is something else
 */
async function readValues(file: string, keys: readonly string[]): Promise<PhpArray | null> {
  const source = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (isAbsent(error)) return null;
    throw error;
  });
  if (source === null) return null;
  const {Engine} = (await import('php-parser')).default;
  const {children} = new Engine({ast: {withPositions: true}}).parseCode(source, file) as unknown as {
    children: PhpNode[];
  };
  const evaluator = new PhpEvaluator({file, env: {}});
  const found: PhpArray = new Map();
  const arrays = children.flatMap((statement) => arrayOf(statement) ?? []);
  if (arrays.length === 0) throw new NotStaticError('it has no array');
  for (const entry of arrays.flatMap(({items}) => items as PhpNode[])) {
    const key =
      entry.kind === 'entry' && entry.key ? phpString(evaluator.evaluate(entry.key as PhpNode)) : null;
    if (key !== null && keys.includes(key)) found.set(key, evaluator.evaluate(entry.value as PhpNode));
  }
  return found;
}

/** The array of `return array(…)` or `sfConfig::add(array(…))`; null for a statement without effect. */
function arrayOf(statement: PhpNode): PhpNode | null {
  const node =
    statement.kind === 'return'
      ? (statement.expr as PhpNode | null)
      : statement.kind === 'expressionstatement'
        ? addedToConfig(statement.expression as PhpNode)
        : null;
  if (node?.kind === 'array') return node;
  if (statement.kind === 'inline' || statement.kind === 'noop') return null;
  throw notStatic(statement, `a ${statement.kind} statement`);
}

function addedToConfig(node: PhpNode): PhpNode | null {
  const callee = node.what as PhpNode | undefined;
  if (node.kind !== 'call' || callee?.kind !== 'staticlookup') return null;
  const [owner, method] = [callee.what as PhpNode, callee.offset as PhpNode];
  const isAdd = String(owner.name).replace(/^\\/, '') === 'sfConfig' && method.name === 'add';
  return isAdd ? ((node.arguments as PhpNode[])[0] ?? null) : null;
}
