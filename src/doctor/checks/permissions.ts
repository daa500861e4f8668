import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {accountName} from '../../account-name.ts';
import {systemReason} from '../../system-failure.ts';
import {obstacleTo} from '../evidence/writable.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {healthy, NotAvailable, type Outcome, type ProblemDetails, warning} from '../finding.ts';

/** Whether the workers may write where their jobs write. */
export const PERMISSION_CHECKS: readonly Check[] = [
  {id: 'permissions', title: 'Permissions of the worker', run: checkPermissions},
];

/** Below the root: exports and reports, compiled configuration, uploaded and imported files. */
const WRITTEN = ['downloads', 'downloads/jobs', 'cache', 'uploads', 'uploads/tmp'];
const USUAL_ACCOUNT = 'www-data';
const ROOT = ['root', '0'];

/** A user that runs a worker, and the units by which it does. */
interface WorkerUser {
  name: string;
  units: string[];
}

async function checkPermissions(site: SiteEvidence): Promise<Outcome> {
  const {root} = site.access;
  if (root === null) throw new NotAvailable('No AtoM installation was found: give --atom-root.');
  const users = await workerUsers(site);
  const problems = (await Promise.all(users.map((user) => problemsOf(site, user, root)))).flat();
  if (problems.length === 0) {
    const names = users.map(({name}) => name).join(', ');
    return healthy(`${names} may write to downloads, cache and uploads of ${root}.`);
  }
  const joined = (key: keyof ProblemDetails, between: string) =>
    [...new Set(problems.map((problem) => problem[key]))].join(between);
  return warning({
    evidence: joined('evidence', ' '),
    consequence: joined('consequence', ' '),
    remedy: joined('remedy', '; '),
  });
}

/** Of the units; without one, of the worker processes. @throws NotAvailable if neither is found on this host */
async function workerUsers(site: SiteEvidence): Promise<WorkerUser[]> {
  const units = await site.units().catch((error: unknown) => {
    if (error instanceof NotAvailable) return [];
    throw error;
  });
  const users = new Map<string, string[]>();
  const add = (name: string, ...names: string[]) => users.set(name, [...(users.get(name) ?? []), ...names]);
  for (const {unit} of units) add(unit.user ?? 'root', unit.name);
  if (units.length === 0) for (const uid of await processUsers(site)) add(accountName(uid) ?? String(uid));
  if (users.size === 0)
    throw new NotAvailable(
      'The user of the worker is not known: atomctl found no unit and no process of it on this machine.',
    );
  return [...users].map(([name, names]) => ({name, units: names}));
}

async function processUsers({access}: SiteEvidence): Promise<number[]> {
  const {workers} = await access.host.processes();
  const users = await Promise.all(workers.map(({pid}) => stat(`/proc/${pid}`).catch(() => null)));
  return [...new Set(users.flatMap((stats) => stats?.uid ?? []))];
}

async function problemsOf(
  {access}: SiteEvidence,
  {name, units}: WorkerUser,
  root: string,
): Promise<ProblemDetails[]> {
  if (ROOT.includes(name)) return units.length === 0 ? [] : [runsAsRoot(units, root)];
  const account = await access.account(name);
  if (account === null) throw new NotAvailable(`The worker's user ${name} is not in /etc/passwd.`);
  const found = new Map<string, ProblemDetails>();
  for (const directory of WRITTEN) {
    const obstacle = await obstacleTo(join(root, directory), account).catch((error: unknown) => {
      throw new NotAvailable(`${join(root, directory)} cannot be checked: ${systemReason(error)}.`);
    });
    if (obstacle === null) continue;
    const {path, lacks} = obstacle;
    found.set(path, {
      evidence: `The worker's user ${name} may not ${lacks} ${path}.`,
      consequence:
        'Jobs that need the directory fail: exports and reports write to downloads, imports use uploads, and all jobs write to cache.',
      remedy: lacks === 'enter' ? `chmod o+x ${path}` : `chown -R ${name} ${path}`,
    });
  }
  return [...found.values()];
}

function runsAsRoot(units: readonly string[], root: string): ProblemDetails {
  const [first] = units;
  const directories = ['cache', 'downloads', 'uploads'].map((name) => join(root, name)).join(' ');
  return {
    evidence: `${units.join(', ')} ${units.length === 1 ? 'runs' : 'run'} as root.`,
    consequence:
      'Jobs process uploaded files as root, also harmful files, and the web site cannot change the files that the jobs write.',
    remedy: `systemctl edit ${first}: User=${USUAL_ACCOUNT} in [Service]; chown -R ${USUAL_ACCOUNT} ${directories}; atomctl worker:restart`,
  };
}
