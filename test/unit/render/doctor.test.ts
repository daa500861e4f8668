import {expect, it} from 'vitest';
import type {Finding} from '../../../src/doctor/finding.ts';
import {renderFindings, renderFixed, renderTally} from '../../../src/render/doctor.ts';

const PLAIN = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};

const FINE: Finding = {
  id: 'database',
  state: 'ok',
  title: 'Database server',
  evidence: 'MySQL 8.4 answers.',
  consequence: null,
  remedy: null,
};
const LOST: Finding = {
  id: 'lost-jobs',
  state: 'critical',
  title: 'Lost jobs',
  evidence: 'No server knows 1 job: 12 (\u001b]0;owned\u0007).',
  consequence: 'Nobody will ever run it.',
  remedy: 'atomctl doctor --fix',
};

it('D7: shows each finding under the id that --check takes, with consequence and fix below, the worst last', () => {
  const lost = `critical  lost-jobs: No server knows 1 job: 12 (\\x1b]0;owned\\x07).
          Nobody will ever run it.
          Fix: atomctl doctor --fix
`;
  expect(renderFindings([LOST, FINE], PLAIN)).toBe(`ok        database: MySQL 8.4 answers.\n${lost}`);
  expect(renderFindings([LOST, FINE, FINE], PLAIN, {foldOk: true})).toBe(
    `ok        2 checks (--all shows them)\n${lost}`,
  );
  expect(renderFindings([LOST], PLAIN, {foldOk: true})).toBe(lost);
});

it('D7: names the folded findings that have a remark, such as that a restart would lose the queue', () => {
  const memory = {...FINE, id: 'gearmand-queue', remedy: 'atomctl queue:save FILE'};
  expect(renderFindings([FINE, memory], PLAIN, {foldOk: true})).toBe(
    'ok        2 checks (--all shows them); with a remark: gearmand-queue\n',
  );
});

it('breaks lines to fit a terminal', () => {
  const lines = renderFindings([LOST], {isTTY: true, width: 40, color: false}).split('\n');
  expect(lines.every((line) => line.length <= 40)).toBe(true);
  expect(lines.slice(1, -1).every((line) => line.startsWith(' '.repeat(10)))).toBe(true);
});

it('colours the states, the counts and what was fixed', () => {
  const screen = {...PLAIN, color: true};
  const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
  expect(renderFindings([LOST], screen)).toContain(red('critical'));
  expect(renderTally([FINE, LOST], screen)).toContain(red('1 critical'));
  expect(renderTally([FINE, LOST, FINE], PLAIN)).toBe('3 checks: 2 ok, 1 critical.\n');
  const failed = {id: 'orphans', count: 0, message: '0 deleted.', error: 'No privilege.'};
  expect(renderFixed([failed], screen)).toContain(red('Failed: No privilege.'));
  expect(renderFixed([{...failed, error: null}], PLAIN)).toBe('Fixed: 0 deleted.\n');
});
