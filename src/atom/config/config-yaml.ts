import {join} from 'node:path';
import {type AtomctlError, usageError} from '../../errors.ts';
import type {PhpOptions} from '../../php/run-php.ts';
import {deepMerge, flatten, lookUp, type PhpValue, sectionsFor} from '../../php/value.ts';
import {holdsUnreadable, readYamlSections, type YamlSections} from './yaml-sections.ts';

/** The directories of a configuration file below the root, low to high. */
const LAYERS = ['config', 'apps/qubit/config'];

const HINT = 'Give the value with a flag or an environment variable.';
const HINT_RUN =
  'Give the value with a flag or an environment variable, or, if you trust the file, let php run it with --run-php.';

/** A configuration value and the files that give it, the highest first. */
export interface YamlSetting {
  value: PhpValue;
  origin: string;
}

interface Layer extends YamlSections {
  file: string;
}

/** One of AtoM's YAML files (`gearman.yml`), its layers merged as symfony's sfDefineEnvironmentConfigHandler does. */
export interface ConfigYaml {
  /**
   * The value at a path of keys in the first of the environments that gives one; undefined if none does.
   * A null does not count.
   * @throws AtomctlError USAGE if the value depends on PHP that could not be evaluated
   */
  get(keys: readonly string[], environments: readonly string[]): YamlSetting | undefined;
}

/** The files from which AtoM reads one configuration, low to high, whether they exist or not. */
export function yamlLayers(root: string, name: string): string[] {
  return LAYERS.map((directory) => join(root, directory, name));
}

/**
 * Reads `<root>/config/NAME` and, above it, `<root>/apps/qubit/config/NAME`.
 *
 * The sections of both merge first and are flattened for an environment afterwards, so an `all:` of the application
 * does not override a `prod:` of the project. PHP tags are evaluated, `%CONSTANTS%` replaced, and scalars read as
 * YAML 1.2, which is sfYaml's version as AtoM sets it.
 * @throws AtomctlError USAGE if a file cannot be read or is not YAML
 */
export async function readConfigYaml(root: string, name: string, options: PhpOptions): Promise<ConfigYaml> {
  const layers: Layer[] = [];
  for (const file of yamlLayers(root, name)) {
    const read = await readYamlSections(file, options);
    if (read !== null) layers.push({file, ...read});
  }
  const merged = layers.map(({sections}) => sections).reduce(deepMerge, new Map());

  return {
    get(keys, environments) {
      for (const environment of environments) {
        const found = lookUp(flatten(merged, environment), keys) ?? null;
        if (found === null) continue;
        const value = replaceConstants(found, constantsOf(root, environment));
        const origin = origins(layers, keys, environment, value instanceof Map);
        if (holdsUnreadable(value)) {
          throw computedByPhp(`${keys.at(-1)} in ${origin}`, layers);
        }
        return {value, origin};
      }
      return undefined;
    },
  };
}

/** The error for a value that only `php` can compute. */
function computedByPhp(what: string, layers: readonly Layer[]): AtomctlError {
  const failure = layers.find(({phpFailure}) => phpFailure !== null)?.phpFailure;
  if (failure) return usageError(`${what} is computed by PHP, and ${failure}.`, HINT);
  return usageError(
    `${what} is computed by PHP code that atomctl cannot evaluate without running it.`,
    HINT_RUN,
  );
}

/**
 * Those of symfony's `%CONSTANTS%` that depend only on the root and the environment; unknown ones are kept as
 * written.
 */
function constantsOf(root: string, environment: string): ReadonlyMap<string, string> {
  return new Map([
    ['sf_environment', environment],
    ['sf_app', 'qubit'],
    ['sf_root_dir', root],
    ['sf_web_dir', root],
    ['sf_apps_dir', `${root}/apps`],
    ['sf_app_dir', `${root}/apps/qubit`],
    ['sf_app_config_dir', `${root}/apps/qubit/config`],
    ['sf_config_dir', `${root}/config`],
    ['sf_cache_dir', `${root}/cache`],
    ['sf_data_dir', `${root}/data`],
    ['sf_lib_dir', `${root}/lib`],
    ['sf_log_dir', `${root}/log`],
    ['sf_plugins_dir', `${root}/plugins`],
    ['sf_upload_dir', `${root}/uploads`],
  ]);
}

function replaceConstants(value: PhpValue, constants: ReadonlyMap<string, string>): PhpValue {
  if (value instanceof Map) {
    return new Map([...value].map(([key, entry]) => [key, replaceConstants(entry, constants)]));
  }
  if (typeof value !== 'string') return value;
  return value.replace(/%(.+?)%/g, (whole, name: string) => constants.get(name.toLowerCase()) ?? whole);
}

/** The files that give a value: for a scalar the one that wins, for an array all that contribute to it. */
function origins(
  layers: readonly Layer[],
  keys: readonly string[],
  environment: string,
  all: boolean,
): string {
  const files = sectionsFor(environment)
    .flatMap((section) =>
      layers.filter(({sections}) => lookUp(sections.get(section), keys) !== undefined).map(({file}) => file),
    )
    .reverse();
  return (all ? [...new Set(files)] : files.slice(0, 1)).join(', ');
}
