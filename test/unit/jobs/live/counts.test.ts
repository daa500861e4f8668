import {describe, expect, it} from 'vitest';
import {contradicts, countUnexplained, isUnplaced, seenWaiting} from '../../../../src/jobs/live/counts.ts';
import type {LiveEvidence, QueueCount, RowEvidence} from '../../../../src/jobs/live/evidence.ts';
import {payload} from '../health/a-queue.ts';
import {begun, FINDING_AIDS, keyless, queue, row, running, waiting} from './given.ts';

const Q = (name: string, total: number, active: number, more: Partial<QueueCount> = {}) =>
  queue(total, active, {queue: name, ...more});
const inQueues = (id: number, queues: string[], more: Partial<RowEvidence> = {}) =>
  keyless(id, {queues, ...more});

function counts(rows: RowEvidence[], queues: QueueCount[], payloads: LiveEvidence['payloads'] = []) {
  return countUnexplained({rows, queues, payloads});
}

describe('what a queue leaves unexplained', () => {
  it('is what neither a known key nor a payload accounts for', () => {
    const asking = inQueues(1, ['q']);
    const rows = [asking, begun(2, running('q')), begun(3, waiting('q'))];
    const {room} = counts(rows, [Q('q', 6, 2)], [payload('q', 9), payload('q', null)]);
    expect(room(asking)).toEqual({total: 2, running: 1});
  });

  it('counts a job whose key and whose payload are known once', () => {
    const asking = inQueues(1, ['q']);
    const {room} = counts([asking, begun(2, waiting('q'))], [Q('q', 2, 0)], [payload('q', 2)]);
    expect(room(asking)).toEqual({total: 1, running: 0});
  });

  it('is counted server by server: a payload here does not account for a job there', () => {
    const asking = inQueues(1, ['here', 'there']);
    const known = begun(2, waiting('here'));
    const {room} = counts([asking, known], [Q('here', 1, 0), Q('there', 1, 0)], [payload('there', 2)]);
    expect(room(asking)).toEqual({total: 0, running: 0});
  });

  it('is never less than nothing, as counts and keys may be of two moments', () => {
    const asking = inQueues(1, ['q']);
    const rows = [asking, begun(2, running('q')), begun(3, running('q'))];
    expect(counts(rows, [Q('q', 1, 1)]).room(asking)).toEqual({total: 0, running: 0});
    expect(counts([asking], [Q('q', 2, 1)], [payload('q', 8), payload('q', 9)]).room(asking)).toEqual({
      total: 1,
      running: 1,
    });
  });

  it('ignores keys and payloads of queues that were not counted', () => {
    const asking = inQueues(1, ['q', 'gone']);
    const {room} = counts([asking, begun(2, running('gone'))], [Q('q', 1, 1)], [payload('gone', 3)]);
    expect(room(asking)).toEqual({total: 1, running: 1});
  });

  it("sums over the row's own queues", () => {
    const asking = inQueues(1, ['a', 'b']);
    const {room} = counts([asking], [Q('a', 2, 1), Q('b', 3, 2), Q('c', 5, 5)]);
    expect(room(asking)).toEqual({total: 5, running: 3});
    expect(room(inQueues(2, []))).toEqual({total: 0, running: 0});
  });

  it('runs somewhere, in any queue', () => {
    const {runningUnexplained} = counts([begun(1, running('a'))], [Q('a', 2, 2), Q('b', 3, 2)]);
    expect(runningUnexplained).toBe(3);
  });
});

describe('queues that share rows', () => {
  it('are one group, also through a third queue', () => {
    const rows = [inQueues(1, ['a', 'b']), inQueues(2, ['b', 'c']), inQueues(3, ['d'])];
    const {around, groups} = counts(rows, [Q('a', 1, 1), Q('b', 1, 0), Q('c', 2, 1), Q('d', 4, 3)]);
    const joined = {total: 4, running: 2, rows: 2, own: true};
    expect(around(rows[0]!)).toMatchObject(joined);
    expect(around(rows[1]!)).toMatchObject(joined);
    expect(around(rows[2]!)).toMatchObject({total: 4, running: 3, rows: 1});
    expect(groups.map(({queues}) => queues.map((each) => each.queue))).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('are joined in whatever order the rows come', () => {
    const rows = [
      inQueues(1, ['c', 'd']),
      inQueues(2, ['a', 'b']),
      inQueues(3, ['b', 'd']),
      inQueues(4, ['d', 'a']),
    ];
    const {around} = counts(rows, [Q('a', 1, 0), Q('b', 1, 0), Q('c', 1, 0), Q('d', 1, 0)]);
    for (const each of rows) expect(around(each)).toMatchObject({total: 4, rows: 4});
  });

  it('are not joined by a row whose place is known', () => {
    const rows = [inQueues(1, ['a']), begun(2, {...running('a'), queues: ['a', 'b']})];
    const {around, groups} = counts(rows, [Q('a', 1, 1), Q('b', 2, 2)]);
    expect(around(rows[0]!)).toMatchObject({total: 0, running: 0, rows: 1});
    expect(groups).toHaveLength(2);
  });

  it("are the site's own only if each of them is", () => {
    const asking = inQueues(1, ['a', 'b']);
    const own = (second: QueueCount['owner']) =>
      counts([asking], [Q('a', 1, 1), Q('b', 1, 1, {owner: second})]).around(asking).own;
    expect([own('site'), own('unknown')]).toEqual([true, false]);
  });

  it('show what each of them leaves unexplained', () => {
    const {groups} = counts([begun(1, running('a'))], [Q('a', 3, 2)]);
    expect(groups).toEqual([
      {
        total: 2,
        running: 1,
        rows: 0,
        own: true,
        queues: [{...Q('a', 3, 2), unexplained: {total: 2, running: 1}}],
      },
    ]);
  });

  it('are none for a row that no counted queue may hold', () => {
    const nothing = {total: 0, running: 0, rows: 0, own: true};
    const gone = inQueues(2, ['gone']);
    const {around, groups} = counts([inQueues(1, []), gone], []);
    expect(around(inQueues(1, []))).toEqual(nothing);
    expect(around(inQueues(7, ['elsewhere']))).toEqual(nothing);
    expect(around(gone)).toMatchObject({total: 0, running: 0, rows: 1});
    expect(groups).toEqual([]);
  });
});

it('counts the rows that import a file', () => {
  const {rowsWithFile} = counts(
    [row(1, {importFile: '/a'}), row(2, {importFile: '/a'}), row(3, {importFile: '/b'}), row(4)],
    [],
  );
  expect(['/a', '/b', '/c'].map(rowsWithFile)).toEqual([2, 1, 0]);
});

describe('a row is unplaced', () => {
  const nowhere = new Map<number, string>();
  it.each<[boolean, string, RowEvidence, ReadonlyMap<number, string>]>([
    [true, 'if no server was asked for its key', keyless(1), nowhere],
    [true, 'if its key may be another one', begun(1, {key: 'doubtful'}), nowhere],
    [true, 'if a server did not answer for its key', begun(1, {keyAsked: false}), nowhere],
    [false, 'if no server knows its key', begun(1), nowhere],
    [false, 'if a server knows its key', begun(1, {key: 'doubtful', ...running()}), nowhere],
    [false, 'if its payload was seen', keyless(1), new Map([[1, FINDING_AIDS]])],
  ])('%s: %s', (unplaced, _, given, seen) => expect(isUnplaced(given, seen)).toBe(unplaced));
});

describe('a payload shows where a job waits', () => {
  const seen = (
    one: RowEvidence,
    owner: QueueCount['owner'],
    said: Partial<LiveEvidence['payloads'][number]>,
  ) =>
    seenWaiting({
      rows: [one],
      queues: [Q('q', 1, 0, {owner})],
      payloads: [{...payload('q', 1), ...said}],
    });

  it.each<[boolean, string, Parameters<typeof seen>]>([
    [true, 'in a queue of the site', [row(1, {queues: ['q']}), 'site', {}]],
    [
      true,
      'in a queue of the site, whatever else it says',
      [row(1, {queues: ['q']}), 'site', {name: 'other'}],
    ],
    [true, "under a prefix that may be the site's", [row(1, {queues: ['q']}), 'unknown', {}]],
    [false, 'of another row', [row(1, {queues: ['q']}), 'site', {jobId: 2}]],
    [false, 'without an id', [row(1, {queues: ['q']}), 'site', {jobId: null}]],
    [false, 'in a queue that cannot hold it', [row(1, {queues: ['r']}), 'site', {}]],
    [
      false,
      "under a prefix that may be the site's, of another name",
      [row(1, {queues: ['q']}), 'unknown', {name: 'other'}],
    ],
  ])('%s: %s', (shows, _, given) => {
    expect([...seen(...given)]).toEqual(shows ? [[1, 'q']] : []);
  });
});

describe("a payload contradicts a row's", () => {
  const said = (name: string | null, objectId: number | null) => ({jobId: 1, name, objectId});
  const has = (name: string, objectId: number | null) => ({name, objectId});
  it.each<[boolean, string, ReturnType<typeof said>, ReturnType<typeof has>]>([
    [false, 'it says the same', said('CSV export', 7), has('CSV export', 7)],
    [true, 'another name', said('CSV export', 7), has('XML export', 7)],
    [true, 'a longer name', said('CSV export 2', null), has('CSV export', null)],
    [false, 'no name', said(null, 7), has('CSV export', 7)],
    // The database may have stored other letters in another encoding.
    [
      false,
      'a name with other letters than English',
      said('Exporter en français', 7),
      has('Exporter en fran?ais', 7),
    ],
    [false, 'a name that ends with such a letter', said('Exporté', 7), has('Export?', 7)],
    [false, 'a name that begins with such a letter', said('Übergabe', 7), has('?bergabe', 7)],
    [true, 'another object', said('CSV export', 8), has('CSV export', 7)],
    [true, 'no object', said('CSV export', null), has('CSV export', 7)],
    [false, 'an object that was deleted since', said('CSV export', 7), has('CSV export', null)],
  ])('%s: %s', (contradicted, _, fields, given) => {
    expect(contradicts(fields, given)).toBe(contradicted);
  });
});
