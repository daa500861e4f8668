import {expect, test} from 'vitest';
import {
  actOfEnd,
  isOfExecutingKill,
  isOfLostRetry,
  isOfRetried,
  LIKE_OF_END,
  noteOfFix,
  noteOfKill,
  noteOfLostRetry,
  noteOfMark,
  noteOfRetried,
  noteOfRetry,
  retriedJob,
} from '../../../../src/jobs/model/own-notes.ts';

const AUTHOR = {by: 'root@archive', nowWall: '2026-03-04 13:00:00'};

const NOTES = [
  [noteOfKill({...AUTHOR, was: 'executing', reason: 'stuck'}), 'Killed with atomctl'],
  [noteOfMark('error', {...AUTHOR, was: 'lost', reason: null}), 'Marked as an error with atomctl'],
  [noteOfMark('completed', {...AUTHOR, was: 'error', reason: null}), 'Marked as completed with atomctl'],
  [noteOfFix('error', AUTHOR), 'Marked as an error by atomctl doctor'],
  [noteOfFix('completed', AUTHOR), 'Marked as completed by atomctl doctor'],
] as const;

/** Whether LIKE finds it. */
function isLike(text: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll('%', '.*')}$`, 's').test(text);
}

test.each(NOTES)('%s is known again', (note, act) => {
  expect(actOfEnd(note)).toBe(act);
  expect(LIKE_OF_END.some((pattern) => isLike(note, pattern))).toBe(true);
});

test('the notes of a retry are known again, and end no row', () => {
  const author = {...AUTHOR, reason: 'once more'};
  const [own, old, lost] = [noteOfRetry(5, author), noteOfRetried(6, author), noteOfLostRetry(5, author)];
  expect(retriedJob([{text: old}, {text: own}])).toBe(5);
  expect([own, old, lost].map(isOfRetried)).toEqual([false, true, false]);
  expect([own, old, lost].map(isOfLostRetry)).toEqual([false, false, true]);
  expect([own, old, lost].map(actOfEnd)).toEqual([null, null, null]);
});

test.each([
  'Killed',
  'Marked as spam by a user',
  'Job was Killed with atomctl by admin',
  'Retry of job 5, started with atomctl by admin on 2026-03-04 13:00:00.',
])('%s is a note of somebody else', (note) => {
  expect(actOfEnd(note)).toBeNull();
  expect(LIKE_OF_END.some((pattern) => isLike(note, pattern))).toBe(false);
});

test('only a kill of an executing job left a worker that may go on, whatever its reason says', () => {
  const kill = (was: string, reason: string | null) =>
    isOfExecutingKill(noteOfKill({...AUTHOR, was, reason}));
  expect([kill('executing', null), kill('executing', 'slow\nwork'), kill('lost', 'hung')]).toEqual([
    true,
    true,
    false,
  ]);
});
