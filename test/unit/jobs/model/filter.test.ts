import {describe, expect, test} from 'vitest';
import {jobCondition, likePattern, objectJoin, readsLogs} from '../../../../src/jobs/model/filter.ts';

describe('jobCondition', () => {
  test('reads logs after everything else, and only for --grep and --param', () => {
    const {sql} = jobCondition({grep: 'x', params: [{key: 'a', values: ['1']}], names: ['x'], since: '2026'});
    expect(sql.indexOf('output')).toBeGreaterThan(sql.indexOf('created_at'));
    expect([readsLogs({names: ['x'], download: 'x'}), readsLogs({grep: 'x'})]).toEqual([false, true]);
  });

  test('is true of every job without a criterion, and then joins nothing', () => {
    expect(jobCondition({})).toEqual({join: '', sql: 'TRUE', values: []});
  });

  test.each([{ids: []}, {logs: []}, {statuses: []}, {names: []}, {users: []}, {objectIds: []}])(
    'matches nothing for %j',
    (filter) => {
      expect(jobCondition(filter).sql).toBe('FALSE');
    },
  );

  test('asks for each criterion, and within one for any value', () => {
    const {sql, values} = jobCondition({ids: [3, 4], statuses: ['error', 'unknown'], users: [null]});
    expect(sql).toBe(
      '(job.id IN (?)) AND (job.status_id IN (?) OR job.status_id IS NULL OR job.status_id NOT IN (?))' +
        ' AND (job.user_id IS NULL)',
    );
    expect(values).toEqual([[3, 4], [185], [183, 184, 185]]);
  });

  test('joins object for a bound on the start, and only then', () => {
    const bounded = jobCondition({since: '2026-01-01 00:00:00', olderThan: '2026-02-01 00:00:00'});
    expect(bounded.join).toContain('JOIN object');
    expect(bounded.sql).toBe('object.created_at >= ? AND object.created_at < ?');
    expect(bounded.values).toEqual(['2026-01-01 00:00:00', '2026-02-01 00:00:00']);
    expect(objectJoin(bounded)).toBe(bounded.join);
    expect(objectJoin(jobCondition({names: ['x']}))).toMatch(/^LEFT JOIN object/);
  });

  test('never writes a value into the statement', () => {
    const hostile = "'; DROP TABLE job; --";
    const {sql, values} = jobCondition({
      names: [hostile],
      users: [hostile],
      since: hostile,
      until: hostile,
      download: hostile,
      grep: hostile,
      params: [{key: hostile, values: [hostile]}],
    });
    expect(sql).not.toContain('DROP');
    expect(sql.split('?')).toHaveLength(values.length + 1);
  });
});

test.each([
  ['arFindingAidJob', 'arFindingAidJob'],
  ['ar*Job', 'ar%Job'],
  ['**', '%'],
  ['100%_done!', '100!%!_done!!'],
  ['back\\slash', 'back\\slash'],
])('likePattern(%j) is %j', (pattern, like) => {
  expect(likePattern(pattern)).toBe(like);
});
