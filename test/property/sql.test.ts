import fc from 'fast-check';
import {expect, test} from 'vitest';
import {ATOM_COLUMNS} from '../../src/jobs/export/columns.ts';
import {exportStatement} from '../../src/jobs/export/export-csv.ts';
import {idRanges} from '../../src/jobs/model/delete-jobs.ts';
import {type JobFilter, jobCondition, likePattern} from '../../src/jobs/model/filter.ts';
import {JOB_STATUSES} from '../../src/jobs/model/job.ts';
import {anyText, holds} from './many.ts';

const anyFilter: fc.Arbitrary<JobFilter> = fc.record(
  {
    ids: fc.array(fc.integer({min: 1}), {maxLength: 3}),
    logs: fc.array(fc.record({id: fc.integer({min: 1}), bytes: fc.nat()}), {maxLength: 3}),
    statuses: fc.uniqueArray(fc.constantFrom(...JOB_STATUSES)),
    names: fc.array(anyText, {maxLength: 3}),
    users: fc.array(fc.option(anyText, {nil: null}), {maxLength: 3}),
    since: anyText,
    until: anyText,
    olderThan: anyText,
    objectIds: fc.array(fc.integer({min: 1}), {maxLength: 3}),
    download: anyText,
    grep: anyText,
    params: fc.array(fc.record({key: anyText, values: fc.array(anyText, {maxLength: 3})}), {maxLength: 2}),
  },
  {requiredKeys: []},
);

/** Everything that a statement of the filters is made of: a statement with another word in it holds a value. */
const WORDS = new RegExp(
  `^(?:${[
    'SELECT|FROM|WHERE|AND|OR|NOT|IN|IS|NULL|TRUE|FALSE|LIKE|COLLATE|ESCAPE|ORDER|BY|ON|STRAIGHT_JOIN|LEFT|JOIN|AS|COALESCE|LENGTH|LOWER|CAST|CONVERT|CONCAT|USING|BINARY|latin1|LOCATE|EXISTS|IF|JSON_VALID|JSON_CONTAINS|SUBSTRING|SUBSTRING_INDEX|RIGHT|CHAR|CHAR_LENGTH|utf8mb4|0|1|10',
    'job|object|user|note|note_i18n|slug|target|utf8mb4_bin',
    'id|name|output|status_id|user_id|object_id|username|created_at|completed_at|class_name|content|source_culture|culture|download_path',
  ].join('|')})$`,
);

/** All texts in quotes. */
const QUOTED = /'(?:!|\/|\] Job | "|": Parameters: |)'/g;

/** What in a statement is neither a fixed word nor punctuation. */
function strangeParts(sql: string): string[] {
  const parts = sql.replaceAll(QUOTED, '').match(/\w+|[^\w\s.,()?=<>+]+/g) ?? [];
  return parts.filter((part) => !WORDS.test(part));
}

test('the SQL of any filter consists only of fixed text and placeholders', () => {
  holds(
    fc.property(anyFilter, (filter) => {
      const {sql, values} = exportStatement(filter, ATOM_COLUMNS);
      // The export's statement holds the condition that list, clear and statistics build theirs with.
      expect(sql).toContain(jobCondition(filter).sql);
      expect([strangeParts(sql), sql.split('?').length - 1]).toEqual([[], values.length]);
    }),
  );
});

test('a name pattern without a star matches itself alone; only a star is a wildcard', () => {
  /** LIKE as the servers define it, with `!` as the escape sign. */
  function like(pattern: string): RegExp {
    const parts = pattern.match(/!?[\s\S]/g) ?? [];
    const source = parts.map((part) => {
      if (part === '%') return '[\\s\\S]*';
      if (part === '_') return '[\\s\\S]';
      return `\\u${part.at(-1)!.charCodeAt(0).toString(16).padStart(4, '0')}`;
    });
    return new RegExp(`^${source.join('')}$`);
  }
  holds(
    fc.property(anyText, anyText, (one, other) => {
      const literal = one.replaceAll('*', '');
      const matches = like(likePattern(literal));
      expect(matches.test(literal)).toBe(true);
      expect(matches.test(other)).toBe(other === literal);
      expect(like(likePattern(`${literal}*`)).test(literal + other)).toBe(true);
    }),
  );
});

test('a condition on many ids matches exactly these', () => {
  const anyIds = fc
    .array(fc.record({from: fc.integer({min: 1, max: 60}), count: fc.integer({min: 1, max: 15})}), {
      maxLength: 5,
    })
    .map((runs) => runs.flatMap(({from, count}) => Array.from({length: count}, (_, index) => from + index)));
  holds(
    fc.property(anyIds, fc.integer({min: 0, max: 80}), (ids, id) => {
      const {sql, values} = idRanges('id', ids);
      const given = values.values();
      const next = () => given.next().value as unknown;
      const met = [...sql.matchAll(/BETWEEN|IN /g)].map(([word]) => {
        if (word === 'IN ') return (next() as number[]).includes(id);
        const [first, last] = [next() as number, next() as number];
        return first <= id && id <= last;
      });
      expect(met.includes(true)).toBe(ids.includes(id));
      expect([...given]).toEqual([]);
    }),
  );
});
