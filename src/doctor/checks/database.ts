import {AtomctlError} from '../../errors.ts';
import type {ServerInfo} from '../../mysql/database.ts';
import {checkSchema} from '../../mysql/schema.ts';
import {type Check, connectedDatabase, type SiteEvidence} from '../evidence.ts';
import {critical, healthy, type Outcome, warning} from '../finding.ts';

/** The database: does it answer, is it AtoM's, and what may the user change in it. */
export const DATABASE_CHECKS: readonly Check[] = [
  {id: 'database', title: 'Database server', run: checkServer},
  {id: 'schema', title: 'Database schema', run: checkAtomSchema},
  {id: 'privileges', title: 'Database privileges', run: checkPrivileges},
];

const OLDEST: Record<ServerInfo['flavour'], {name: string; version: [number, number]}> = {
  mysql: {name: 'MySQL 8.0', version: [8, 0]},
  mariadb: {name: 'MariaDB 10.5', version: [10, 5]},
};

async function checkServer(site: SiteEvidence): Promise<Outcome> {
  const connected = await failureOf(site.connection());
  if (connected !== null) {
    return critical({
      evidence: connected.message,
      consequence: 'AtoM and its workers cannot work without it; the jobs could not be checked.',
      remedy: connected.hint ?? 'Check that the database server runs.',
    });
  }
  const {flavour, version} = (await site.connection()).server;
  const name = `${flavour === 'mysql' ? 'MySQL' : 'MariaDB'} ${version}`;
  const oldest = OLDEST[flavour];
  if (!isBelow(version, oldest.version)) return healthy(`${name} answers.`);
  return warning({
    evidence: `${name} answers, which is older than ${oldest.name}.`,
    consequence: 'atomctl is not tested with it, and it gets no more bug fixes.',
    remedy: `Upgrade it to ${oldest.name} or later.`,
  });
}

function isBelow(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

async function checkAtomSchema(site: SiteEvidence): Promise<Outcome> {
  const database = await connectedDatabase(site);
  const error = await failureOf(checkSchema(database));
  if (error === null) return healthy("All tables and columns of AtoM's jobs exist.");
  return critical({
    evidence: error.message,
    consequence: 'atomctl commands that read jobs cannot work.',
    remedy: error.hint ?? 'atomctl config',
  });
}

/**
 * What kill, clear, retry and doctor --fix need to change: privilege, table, and a statement that needs it. EXPLAIN
 * needs the same privileges as the statement, and changes nothing.
 */
const NEEDED = [
  ['SELECT', 'term', 'SELECT id FROM term WHERE FALSE'],
  ['UPDATE', 'job', 'UPDATE job SET status_id = NULL, completed_at = NULL WHERE FALSE'],
  ['DELETE', 'job', 'DELETE FROM job WHERE FALSE'],
  ['UPDATE', 'object', 'UPDATE object SET updated_at = updated_at WHERE FALSE'],
  ['DELETE', 'object', 'DELETE FROM object WHERE FALSE'],
  ['INSERT', 'note', "INSERT INTO note (object_id, source_culture) VALUES (0, 'en')"],
  ['INSERT', 'note_i18n', "INSERT INTO note_i18n (id, culture, content) VALUES (0, 'en', '')"],
  [
    'INSERT',
    'object',
    "INSERT INTO object (class_name, created_at, updated_at) VALUES ('QubitJob', NOW(), NOW())",
  ],
  ['INSERT', 'job', 'INSERT INTO job (id) VALUES (0)'],
  ['INSERT', 'property', "INSERT INTO property (object_id, source_culture) VALUES (0, 'en')"],
  ['INSERT', 'property_i18n', "INSERT INTO property_i18n (id, culture, value) VALUES (0, 'en', '')"],
] as const;

async function checkPrivileges(site: SiteEvidence): Promise<Outcome> {
  const database = await site.database();
  const lacking: string[] = [];
  const grants: string[] = [];
  for (const [privilege, table, statement] of NEEDED) {
    const refusal = await failureOf(database.query(`EXPLAIN ${statement}`));
    if (refusal === null) continue;
    // What is refused for another reason (a read-only replica) is refused for every statement.
    if (refusal.code !== 'DATABASE_PRIVILEGE') return unchangeable(refusal.message, refusal.hint);
    lacking.push(`${privilege} on ${table}`);
    grants.push(refusal.hint ?? '');
  }
  if (lacking.length > 0)
    return unchangeable(`The database user lacks ${lacking.join(', ')}.`, grants.join(' '));
  return healthy(
    'The database user has every privilege that jobs:kill, jobs:retry, jobs:clear and doctor --fix need.',
  );
}

function unchangeable(evidence: string, remedy = 'Use a database user that may change jobs.'): Outcome {
  const consequence =
    'Jobs can be listed, but the commands that need it will fail: jobs:kill, jobs:retry, jobs:clear or doctor --fix.';
  return warning({evidence, consequence, remedy});
}

/** The expected failure that work ended with, or null. A wrong setting (USAGE) is thrown: the user has to fix it first. */
async function failureOf(work: Promise<unknown>): Promise<AtomctlError | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof AtomctlError && error.code !== 'USAGE') return error;
    throw error;
  }
}
