import {hostname, userInfo} from 'node:os';
import {join} from 'node:path';
import {AtomctlError} from '../../errors.ts';
import {readFile} from '../../files/sync-files.ts';
import {
  fileNames,
  jobTokens,
  journalTexts,
  objectNames,
  siteNames,
  userNames,
} from '../../report/known-names.ts';
import type {KnownName} from '../../report/redact.ts';
import type {ReportParts} from '../../report/report.ts';
import type {Context} from '../context.ts';
import {secretsIn} from '../mask.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the configuration, the environment and this host name, secrets first. */
export async function namesOfSite(
  context: Context,
  env: Environment,
  argv: readonly string[],
): Promise<KnownName[]> {
  const site = await context.site();
  const [database, servers, notAsked, root, prefix, others] = await Promise.all([
    site.database().then(({value}) => value, withoutIt),
    context.serverAddresses().catch(() => []),
    site.serversNotAsked().catch(() => []),
    site.root().then(({value}) => value),
    site.functionPrefix().then(({value}) => value, withoutIt),
    site.otherPrefixes().catch(() => []),
  ]);
  const secrets = [database?.password.reveal() ?? '', ...secretsIn(argv), ...secretVariables(env)];
  const hosts = [hostname(), database?.host ?? '', ...[...servers, ...notAsked].map(({host}) => host)];
  const users = [userInfo().username, env.SUDO_USER, env.USER, env.LOGNAME, database?.user];
  return [
    ...named('secret', secrets),
    ...named('prefix', [prefix ?? '', ...others]),
    ...named('user', users),
    ...named('host', [...hosts, ...shortNames(hosts), ...(root === null ? [] : await searchHosts(root))]),
    ...named('database', [database?.database]),
    ...named('site', [context.siteName ?? '']),
  ];
}

const withoutIt = () => null;

/** Variables with a password, or with a URL that has one. */
function secretVariables(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (/PASS|SECRET|TOKEN|API_?KEY/i.test(name)) return [value];
    return /URL|DSN/.test(name) ? secretsIn([value]) : [];
  });
}

/** The first part of a host's name is how people call it. */
function shortNames(hosts: readonly string[]): string[] {
  return hosts.flatMap((host) => /^([a-z][\w-]*)\./i.exec(host)?.[1] ?? []);
}

/** Elasticsearch's hosts, as AtoM's files name them. */
async function searchHosts(root: string): Promise<string[]> {
  const files = [
    'config/search.yml',
    'apps/qubit/config/search.yml',
    'plugins/arElasticSearchPlugin/config/search.yml',
  ];
  const texts = await Promise.all(files.map((file) => readFile(join(root, file)).catch(() => '')));
  return texts.flatMap((text) =>
    [...text.matchAll(/^\s*host:\s*['"]?([^\s'"#]+)/gm)].map(([, host]) => host!),
  );
}

function named(label: KnownName['label'], texts: readonly (string | undefined)[]): KnownName[] {
  return texts.flatMap((text) => (text ? [{label, text}] : []));
}

/** The names in the database that may stand in these parts; or, if it cannot be asked, the sentence that says why. */
export async function namesInDatabase(
  context: Context,
  parts: Pick<ReportParts, 'jobs' | 'journal'>,
): Promise<KnownName[] | string> {
  const jobs = 'value' in parts.jobs ? parts.jobs.value.jobs : [];
  const texts = [...jobs, ...('value' in parts.journal ? [journalTexts(parts.journal.value)] : [])];
  try {
    const database = await context.database();
    const ids = jobs.map(({id}) => id);
    return [
      ...(await jobTokens(database, ids)),
      ...(await userNames(database)),
      ...(await siteNames(database)),
      ...(await objectNames(database, texts)),
      ...fileNames(texts),
    ];
  } catch (error) {
    if (error instanceof AtomctlError && error.code !== 'USAGE') return error.message;
    throw error;
  }
}
