import {formatDuration} from '../../duration.ts';
import type {UnitState} from '../../systemd/unit-state.ts';
import {LIMIT_REACHED} from '../../worker/ending.ts';
import {judgeUnit} from '../../worker/health.ts';
import {limitText} from '../../worker/start-limit.ts';
import type {WorkerUnit} from '../evidence/worker-units.ts';
import type {Check, SiteEvidence} from '../evidence.ts';
import {critical, healthy, NotAvailable, type Outcome, warning} from '../finding.ts';

/** The systemd unit of the worker. */
export const WORKER_UNIT_CHECKS: readonly Check[] = [
  {id: 'worker-unit', title: "The worker's unit", run: checkUnit},
  {id: 'worker-renewal', title: 'Limits of the worker', run: checkRenewal},
  {id: 'worker-ordering', title: 'Start at boot', run: checkOrdering},
];

/** Other checks report what it has registered with Gearman. */
async function checkUnit(site: SiteEvidence): Promise<Outcome> {
  const units = await site.units();
  const problems = units.flatMap(({unit, limit}) => judgeUnit({unit, limit, servers: []}));
  if (problems.length === 0) return healthy(`${names(units)}: active, enabled.`);
  const isCritical = problems.some(({severity}) => severity === 'critical');
  const details = {
    evidence: problems.map(({text}) => text).join(' '),
    consequence: 'No worker runs jobs while it is down.',
    remedy: remedyFor(units),
  };
  return isCritical ? critical(details) : warning(details);
}

function remedyFor(units: readonly WorkerUnit[]): string {
  const masked = units.find(({unit}) => unit.load === 'masked');
  if (masked) return `systemctl unmask ${masked.unit.name}; then atomctl worker:start`;
  if (units.some(({limit}) => limit.hit))
    return 'atomctl worker:start --reset; to see why it ended: atomctl worker:logs';
  if (units.some(({unit}) => unit.active !== 'active')) return 'atomctl worker:start';
  if (units.some(({limit}) => limit.startsUsed === limit.burst && limit.burst > 0))
    return 'atomctl worker:reset';
  return 'atomctl worker:enable';
}

/**
 * With a limit of its own the worker ends with 111 when it is reached, for systemd to start a fresh one. Each such
 * start counts: the unit's start limit, 3 in 24 h in AtoM's manual, then leaves the site without a worker.
 */
async function checkRenewal(site: SiteEvidence): Promise<Outcome> {
  const units = await site.units();
  const renewed = units.filter(({unit}) => /--max-(?:job-count|mem-usage)/.test(unit.command));
  const doomed = renewed.filter(({unit}) => comesBack(unit) && reachesLimit(unit));
  const stranded = renewed.filter(({unit}) => !comesBack(unit));
  const [first] = [...doomed, ...stranded];
  if (first === undefined)
    return healthy(
      `${names(units)}: the worker's own limits do not conflict with the start limit of systemd.`,
    );
  const evidence = stranded.includes(first)
    ? `${first.unit.name} ends with exit status ${LIMIT_REACHED} at --max-job-count or --max-mem-usage, and is not restarted after it (Restart=${first.unit.restartPolicy}).`
    : `${first.unit.name} ends with exit status ${LIMIT_REACHED} at --max-job-count or --max-mem-usage, and systemd allows ${limitText(first.limit)}.`;
  return warning({
    evidence,
    consequence: 'Then the worker stays down, although nothing failed, and jobs wait.',
    remedy: `systemctl edit ${first.unit.name}: Restart=always, and StartLimitIntervalSec=0 in [Unit]`,
  });
}

function comesBack({restartPolicy, restartForced, restartPrevented}: UnitState): boolean {
  if (restartPrevented.includes(LIMIT_REACHED)) return false;
  return ['always', 'on-failure'].includes(restartPolicy) || restartForced.includes(LIMIT_REACHED);
}

/** A busy worker may restart this often; the manual's unit allows one start in eight hours. */
const RENEWAL_SECONDS = 3600;

function reachesLimit({startLimit: {burst, intervalSeconds}}: UnitState): boolean {
  return burst > 0 && intervalSeconds / burst > RENEWAL_SECONDS;
}

const DATABASE_UNITS = ['mysql.service', 'mysqld.service', 'mariadb.service'];

async function checkOrdering(site: SiteEvidence): Promise<Outcome> {
  const {manager, databaseConfig} = site.access;
  const units = await site.units();
  const {host, socketPath} = await databaseConfig();
  const local = socketPath !== null || host === null || ['localhost', '127.0.0.1', '::1'].includes(host);
  const services = local ? await manager.services() : [];
  const server = services.find(({name, load}) => DATABASE_UNITS.includes(name) && load === 'loaded')?.name;
  if (server === undefined) throw new NotAvailable('The database server is not a service of this host.');
  const early = units.filter(({unit}) => !unit.after.some((name) => DATABASE_UNITS.includes(name)));
  const [first] = early;
  if (first === undefined) return healthy(`${names(units)}: started after ${server}.`);
  const delay = formatDuration(first.unit.restartDelaySeconds);
  return warning({
    evidence: `${first.unit.name} is not ordered after ${server}.`,
    consequence: `At boot, it may start first, fail, and reach its start limit, because it is restarted every ${delay}.`,
    remedy: `systemctl edit ${first.unit.name}: After=${server} in [Unit]`,
  });
}

function names(units: readonly WorkerUnit[]): string {
  return units.map(({unit}) => unit.name).join(', ');
}
