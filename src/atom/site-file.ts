import {isAbsolute, join, resolve} from 'node:path';
import type {LineCounter, Pair} from 'yaml';
import {cannotBeRead, usageError} from '../errors.ts';
import {readSettingsFile, stat} from '../files/sync-files.ts';
import type {DatabaseConfig} from '../mysql/database.ts';
import {parseDatabaseUrl} from '../mysql/database-url.ts';
import type {Setting, SiteOptions, SiteSurroundings} from './site.ts';

/** A site of atomctl's own configuration file; each origin is `FILE:LINE`. */
export interface NamedSite {
  name: string;
  origin: string;
  root?: Setting<string>;
  database?: Setting<DatabaseConfig>;
  defaultsFile?: Setting<string>;
  gearman?: Setting<string[]>;
  functionPrefix?: Setting<string>;
  timezone?: Setting<string>;
  /** Its workers run only on the host on which atomctl reads this. */
  workers?: Setting<'this-host'>;
  /** Commands that change something are refused. */
  readOnly?: Setting<boolean>;
}

interface Key {
  name: string;
  origin: string;
}

const SITE_KEYS = [
  'root',
  'database',
  'defaultsFile',
  'gearman',
  'functionPrefix',
  'timezone',
  'workers',
  'readOnly',
] as const;
const PATH_KEYS: readonly string[] = ['root', 'defaultsFile'];

/**
 * The site that `--site` names; undefined if it was not given. Then only a file that `--config` names is read, which
 * must be valid in any case.
 * @throws AtomctlError USAGE if no file names it (the message lists the known ones), and as listSites does
 */
export async function findNamedSite(
  options: SiteOptions,
  surroundings: SiteFilePlaces,
): Promise<NamedSite | undefined> {
  if (!options.site && !options.config) return undefined;
  const sites = await listSites(options, surroundings);
  if (!options.site) return undefined;
  const {value, origin} = options.site;
  const site = sites.find(({name}) => name === value);
  if (site) return site;
  const known = sites.map(({name}) => name).join(', ');
  throw usageError(
    `Unknown site "${value}" (${origin}).`,
    known === '' ? 'No configuration file of atomctl has a site.' : `Known sites: ${known}.`,
  );
}

/** Where configuration files of atomctl may be. */
type SiteFilePlaces = Pick<SiteSurroundings, 'env' | 'cwd' | 'siteFiles'>;

/**
 * All sites of atomctl's configuration: of the file that `--config` names, otherwise of /etc/atomctl/config.yml and
 * above it `$XDG_CONFIG_HOME/atomctl/config.yml` (by default ~/.config), in which a site replaces one of the same
 * name completely.
 * @throws AtomctlError USAGE, with file and line, if a file is malformed, has an unknown key, may be written by everyone,
 *   or holds a password and may be read by others; or if the file that `--config` names does not exist
 */
export async function listSites(
  {config}: Pick<SiteOptions, 'config'>,
  {env, cwd, siteFiles = usualSiteFiles(env)}: SiteFilePlaces,
): Promise<NamedSite[]> {
  const files = config ? [resolve(cwd, config.value)] : siteFiles;
  const sites = new Map<string, NamedSite>();
  for (const file of files) {
    const source = await readSettingsFile(file).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' && !config) return null;
      const origin = config ? ` (${config.origin})` : '';
      throw cannotBeRead(`The configuration file ${file}${origin}`, cause);
    });
    if (source === null) continue;
    const parsed = await parseSites(source, file);
    if (parsed.some(holdsPassword)) await refuseIfReadableByOthers(file);
    for (const site of parsed) sites.set(site.name, site);
  }
  return [...sites.values()];
}

function usualSiteFiles(env: SiteSurroundings['env']): string[] {
  const home = env.XDG_CONFIG_HOME || (env.HOME && join(env.HOME, '.config'));
  return ['/etc/atomctl/config.yml', ...(home ? [join(home, 'atomctl/config.yml')] : [])];
}

function holdsPassword({database}: NamedSite): boolean {
  return database !== undefined && !database.value.password.isEmpty;
}

async function refuseIfReadableByOthers(file: string): Promise<void> {
  const {mode} = await stat(file);
  if ((mode & 0o077) === 0) return;
  throw usageError(
    `${file} has a database password, and other users can read it (mode ${(mode & 0o777).toString(8)}).`,
    `Run: chmod 600 ${file}`,
  );
}

async function parseSites(source: string, file: string): Promise<NamedSite[]> {
  return new SiteFileReader(file, await import('yaml')).read(source);
}

/** Walks the parsed document, so that each error can name the line. */
class SiteFileReader {
  readonly #file: string;
  readonly #yaml: typeof import('yaml');
  readonly #lines: LineCounter;

  constructor(file: string, yaml: typeof import('yaml')) {
    this.#file = file;
    this.#yaml = yaml;
    this.#lines = new yaml.LineCounter();
  }

  read(source: string): NamedSite[] {
    // Failsafe: every scalar is text, so a prefix of digits alone is kept as written.
    const {contents, errors} = this.#yaml.parseDocument(source, {
      lineCounter: this.#lines,
      prettyErrors: false,
      schema: 'failsafe',
    });
    if (errors[0])
      throw usageError(`${this.#place(errors[0].pos[0])} is not valid YAML: ${errors[0].message}.`);
    if (contents === null) return [];
    return this.#entries(contents, 'the file', `${this.#file}:1`).flatMap((entry) => {
      const {name, origin} = this.#key(entry, ['sites']);
      return this.#entries(entry.value, name, origin).map((site) => this.#site(site));
    });
  }

  #site(entry: Pair): NamedSite {
    const {name, origin} = this.#key(entry);
    const site: NamedSite = {name, origin};
    for (const pair of this.#entries(entry.value, `the site "${name}"`, origin)) {
      const key = this.#key(pair, SITE_KEYS);
      Object.assign(site, {[key.name]: {value: this.#value(pair.value, key), origin: key.origin}});
    }
    return site;
  }

  #value(node: unknown, key: Key): string | string[] | boolean | DatabaseConfig {
    if (key.name === 'gearman') return this.#texts(node, key);
    const text = this.#text(node, key);
    if (key.name === 'readOnly') return readSwitch(text, key.origin);
    return key.name === 'database' ? parseDatabaseUrl(text, key.origin) : text;
  }

  #entries(node: unknown, what: string, origin: string): Pair[] {
    if (this.#yaml.isMap(node)) return node.items;
    throw usageError(`At ${origin}, ${what} must be a map.`);
  }

  #key({key}: Pair, known?: readonly string[]): Key {
    const node = this.#yaml.isScalar(key) ? key : null;
    const name = String(node?.value ?? '');
    const origin = this.#place(node?.range?.[0] ?? 0);
    if (known && !known.includes(name)) {
      throw usageError(`Unknown key "${name}" at ${origin}.`, `Known keys: ${known.join(', ')}.`);
    }
    return {name, origin};
  }

  #text(node: unknown, {name, origin}: Key): string {
    const text = this.#yaml.isScalar(node) ? node.value : null;
    if (typeof text !== 'string' || text === '') throw usageError(`At ${origin}, ${name} must be a text.`);
    if (PATH_KEYS.includes(name) && !isAbsolute(text)) {
      throw usageError(`At ${origin}, ${name} must be an absolute path.`);
    }
    if (name === 'workers' && text !== 'this-host') {
      throw usageError(
        `At ${origin}, workers must be this-host.`,
        'It means that the workers of the site run only on this host. If they do not, remove the key.',
      );
    }
    return text;
  }

  #texts(node: unknown, key: Key): string[] {
    if (!this.#yaml.isSeq(node)) return [this.#text(node, key)];
    return node.items.map((item) => this.#text(item, key));
  }

  #place(offset: number): string {
    return `${this.#file}:${this.#lines.linePos(offset).line}`;
  }
}

function readSwitch(text: string, origin: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw usageError(`At ${origin}, readOnly must be true or false.`);
}
