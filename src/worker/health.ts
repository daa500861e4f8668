import type {Severity} from '../queue/severity.ts';
import type {UnitState} from '../systemd/unit-state.ts';
import {type Registration, registrationFault} from './abilities.ts';
import {comesBack, whyNotRunning} from './ending.ts';
import {limitText, type StartLimit} from './start-limit.ts';

export interface UnitProblem {
  severity: Extract<Severity, 'warning' | 'critical'>;
  /** A sentence that names the unit. */
  text: string;
}

export interface UnitEvidence {
  unit: UnitState;
  limit: StartLimit;
  servers: readonly Registration[];
}

/**
 * What is wrong with a unit, the worst first. Active is not healthy: a worker does jobs only if it has
 * registered its abilities, with every server, since AtoM submits a job to any of them.
 */
export function judgeUnit(evidence: UnitEvidence): UnitProblem[] {
  const {unit, limit} = evidence;
  const why = whyNotRunning(unit, limit);
  const problems = why === null ? runningFaults(evidence) : [notRunning(unit, limit, why)];
  if (['disabled', 'indirect'].includes(unit.enablement)) {
    problems.push({
      severity: 'warning',
      text: `${unit.name} is not enabled: it will not start when the machine starts.`,
    });
  }
  return problems;
}

function notRunning(unit: UnitState, limit: StartLimit, why: string): UnitProblem {
  // At the limit, of a masked unit and of one that cannot be loaded, `why` says what has to be done first.
  const canStart = comesBack(unit) === false && !limit.hit && unit.load === 'loaded';
  const alone = canStart ? ' systemd will not start it again. To start it: atomctl worker:start' : '';
  return {severity: 'critical', text: `${unit.name} is ${stateText(unit)}. ${why}${alone}`};
}

function stateText({active, sub}: UnitState): string {
  return active === sub ? active : `${active} (${sub})`;
}

/** Servers that do not answer are reported once for all units, elsewhere. */
function runningFaults({unit, limit, servers}: UnitEvidence): UnitProblem[] {
  const faults = servers
    .filter(({error}) => error === null)
    .flatMap((registration): UnitProblem[] => {
      const fault = registrationFault(registration);
      if (fault === null) return [];
      const severity = registration.abilities.length === 0 ? 'critical' : 'warning';
      return [{severity, text: `${unit.name} is active (PID ${unit.mainPid}), but ${fault}`}];
    });
  if (comesBack(unit) === null && limit.burst > 0 && limit.startsUsed === limit.burst) {
    const text =
      `${unit.name} may have used all of its ${limitText(limit)}: systemd may not start it again after its next end` +
      ' or restart. To clear the count: atomctl worker:reset';
    faults.push({severity: 'warning', text});
  }
  return faults;
}
