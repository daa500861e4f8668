import {FINDING_STATES, type Finding, type FindingState} from '../doctor/finding.ts';
import type {Fixed} from '../doctor/fix.ts';
import {sanitizeLine} from './sanitize.ts';
import {paint, type Screen} from './screen.ts';
import {wrap} from './wrap.ts';

const STATES = Object.keys(FINDING_STATES) as FindingState[];
const STATE_WIDTH = Math.max(...STATES.map((state) => state.length));
const INDENT = ' '.repeat(STATE_WIDTH + 2);

/**
 * Every finding with its evidence, its consequence and its remedy, if it has them, the worst last: a long page ends
 * with what matters. With `foldOk`, what is ok takes one line.
 */
export function renderFindings(findings: readonly Finding[], screen: Screen, {foldOk = false} = {}): string {
  const sorted = findings.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  const shown = foldOk ? sorted.filter(({state}) => state !== 'ok') : sorted;
  const line = foldOk ? foldedLine(sorted.slice(0, sorted.length - shown.length), screen) : '';
  return line + shown.map((finding) => renderFinding(finding, screen)).join('');
}

/** A check that is ok may still have a remark, such as that a restart would lose the queue: these are named. */
function foldedLine(folded: readonly Finding[], screen: Screen): string {
  if (folded.length === 0) return '';
  const remarks = folded.filter(({remedy}) => remedy !== null).map(({id}) => id);
  const named = remarks.length === 0 ? '' : `; with a remark: ${remarks.join(', ')}`;
  const text = `${folded.length} ${folded.length === 1 ? 'check' : 'checks'} (--all shows them)${named}`;
  return `${stateText('ok', screen)}${wrapped(text, screen).join(`\n${INDENT}`)}\n`;
}

function renderFinding({id, state, evidence, consequence, remedy}: Finding, screen: Screen): string {
  const lines = wrapped(`${id}: ${evidence}`, screen);
  if (consequence !== null) lines.push(...wrapped(consequence, screen));
  if (remedy !== null)
    lines.push(...wrapped(`Fix: ${remedy}`, screen).map((line) => paint(screen, 'bold', line)));
  return `${stateText(state, screen)}${lines.join(`\n${INDENT}`)}\n`;
}

function stateText(state: FindingState, screen: Screen): string {
  return paint(screen, FINDING_STATES[state].color, state) + INDENT.slice(state.length);
}

/** The lines beside the indent. */
function wrapped(text: string, {width}: Screen): string[] {
  return wrap(sanitizeLine(text), width - INDENT.length);
}

/** The number of checks by result: `26 checks: 22 ok, 1 critical, 3 skipped.` */
export function renderTally(findings: readonly Finding[], screen: Screen): string {
  const counts = STATES.flatMap((state) => {
    const count = findings.filter((finding) => finding.state === state).length;
    return count === 0 ? [] : [paint(screen, FINDING_STATES[state].color, `${count} ${state}`)];
  });
  return `${findings.length} ${findings.length === 1 ? 'check' : 'checks'}: ${counts.join(', ')}.\n`;
}

/** What was fixed, and the error that stopped a fix. */
export function renderFixed(fixed: readonly Fixed[], screen: Screen): string {
  return fixed
    .map(({message, error}) => {
      const end = error === null ? '' : ` ${paint(screen, 'red', sanitizeLine(`Failed: ${error}`))}`;
      return `${paint(screen, 'green', 'Fixed:')} ${sanitizeLine(message)}${end}\n`;
    })
    .join('');
}
