import {FAULT_SEVERITY, SEVERITIES, type SharedFault} from '../queue/severity.ts';

/** From best to worst; a skipped check says nothing about the site's health. */
export const FINDING_STATES = {
  ok: SEVERITIES.ok,
  skipped: {rank: SEVERITIES.ok.rank, color: 'dim'},
  warning: SEVERITIES.warning,
  critical: SEVERITIES.critical,
} as const;

export type FindingState = keyof typeof FINDING_STATES;
export type HealthStatus = Exclude<FindingState, 'skipped'>;

/** What one check found, as `doctor --json` prints it. */
export interface Finding {
  /** The check's name, as --check and --skip take it, stable from version to version. */
  id: string;
  state: FindingState;
  title: string;
  /** What was found; if the check was skipped, why. */
  evidence: string;
  /** What follows from it; null if nothing does. */
  consequence: string | null;
  /** What fixes it, a command if there is one; null if nothing has to be fixed. */
  remedy: string | null;
}

/** The result of one check. */
export interface Outcome {
  state: HealthStatus;
  evidence: string;
  consequence?: string;
  remedy?: string;
}

/** What is wrong (the evidence), what follows from it, and what fixes it. */
export type ProblemDetails = Required<Omit<Outcome, 'state'>>;

/** All is well. `remark` adds what is still worth knowing. */
export function healthy(evidence: string, remark: Partial<ProblemDetails> = {}): Outcome {
  return {...remark, state: 'ok', evidence};
}

/** Something will fail, or has failed and is over. */
export function warning(details: ProblemDetails): Outcome {
  return {...details, state: 'warning'};
}

/** Something is wrong and does not fix itself. */
export function critical(details: ProblemDetails): Outcome {
  return {...details, state: 'critical'};
}

/** What queue:status reports too, as severe as there. */
export function shared(fault: SharedFault, details: ProblemDetails): Outcome {
  return {...details, state: FAULT_SEVERITY[fault]};
}

/** What failed, one sentence, and what to do about it. */
export interface Failure {
  message: string;
  hint?: string | undefined;
}

/**
 * Thrown by evidence that is not available. The check that asked for it is skipped with this reason if that is not a problem in
 * itself, or if another finding reports it.
 */
export class NotAvailable extends Error {
  override readonly name = 'NotAvailable';
  /** The failure of a server that is behind it; null if there is none. */
  readonly failure: Failure | null;

  constructor(reason: string, failure: Failure | null = null) {
    super(reason);
    this.failure = failure;
  }
}

const NOT_POSSIBLE = 'This check was not possible.';

/** A check that a failure kept from being made, if no other finding reports it. */
export function notChecked({message, hint}: Failure): Outcome {
  return {state: 'warning', evidence: message, consequence: NOT_POSSIBLE, ...(hint && {remedy: hint})};
}

/** Whether the check was made: neither skipped nor kept from it by a failure. */
export function wasMade({state, consequence}: Pick<Finding, 'state' | 'consequence'>): boolean {
  return state !== 'skipped' && consequence !== NOT_POSSIBLE;
}

/** The worst state among the findings. */
export function overallStatus(findings: readonly Finding[]): HealthStatus {
  const states = findings.map(({state}) => (state === 'skipped' ? 'ok' : state));
  return states.reduce<HealthStatus>(
    (worst, state) => (FINDING_STATES[state].rank > FINDING_STATES[worst].rank ? state : worst),
    'ok',
  );
}

const SHOWN = 5;

/** The first few of many, and how many more there are: `12, 13 and 4 more`. */
export function someOf(items: readonly (string | number)[], total = items.length): string {
  const shown = items.slice(0, SHOWN);
  const rest = total - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** A job as evidence names it: `1042 (arFileImportJob)`. */
export function jobLabel({id, name}: {id: number; name: string}): string {
  return `${id} (${name})`;
}
