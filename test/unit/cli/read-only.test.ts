import {expect, test} from 'vitest';
import {type Changes, makesChanges} from '../../../src/cli/read-only.ts';
import {COMMANDS} from '../../../src/cli/start/command-table.ts';

/** What each command does: a new one needs a line here, after thought. */
const KNOWN: Readonly<Record<string, 'reads' | 'changes' | {unless: string} | {with: string}>> = {
  completion: 'reads',
  'completion:answer': 'reads',
  config: 'reads',
  doctor: {with: 'fix'},
  help: 'reads',
  'jobs:clear': {unless: 'dry-run'},
  'jobs:export-csv': 'reads',
  'jobs:kill': {unless: 'dry-run'},
  'jobs:list': {with: 'probe'},
  'jobs:mark': {unless: 'dry-run'},
  'jobs:retry': {unless: 'dry-run'},
  'jobs:show': 'reads',
  'jobs:why': {with: 'probe'},
  'jobs:stats': 'reads',
  'jobs:wait': 'reads',
  man: 'reads',
  'queue:hold': {unless: 'dry-run'},
  'queue:restore': {unless: 'dry-run'},
  'queue:save': 'changes',
  'queue:status': 'reads',
  'queue:workers': 'reads',
  report: 'reads',
  'worker:disable': 'changes',
  'worker:enable': 'changes',
  'worker:logs': 'reads',
  'worker:reset': 'changes',
  'worker:restart': 'changes',
  'worker:run': 'changes',
  'worker:start': 'changes',
  'worker:status': 'reads',
  'worker:stop': 'changes',
  'worker:unit': {with: 'install'},
};

test.each(Object.keys(COMMANDS))('%s says itself whether it changes something', async (id) => {
  const {default: command} = await COMMANDS[id]!();
  expect(Object.hasOwn(command, 'changes')).toBe(true);
  const {changes} = command as unknown as {changes: Changes};
  const kind = KNOWN[id]!;
  if (typeof kind === 'string') {
    expect(makesChanges(changes, {})).toBe(kind === 'changes');
    return;
  }
  const [flag, changesWithFlag] = 'with' in kind ? [kind.with, true] : [kind.unless, false];
  expect(Object.keys(command.flags)).toContain(flag);
  expect(makesChanges(changes, {[flag]: true})).toBe(changesWithFlag);
  expect(makesChanges(changes, {[flag]: false})).toBe(!changesWithFlag);
});

test('a command that says nothing counts as one that changes', () => {
  expect(makesChanges(undefined, {})).toBe(true);
});
