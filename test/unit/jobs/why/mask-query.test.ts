import {expect, test} from 'vitest';
import {shownQuery} from '../../../../src/jobs/why/mask-query.ts';

test.each([
  ["SELECT *\n  FROM job WHERE name = 'x'", "SELECT * FROM job WHERE name = 'x'"],
  ["CREATE USER a IDENTIFIED BY 's3cret'", "CREATE USER a IDENTIFIED BY '***'"],
  [
    `UPDATE user SET password_hash = "s3'cret", salt='it''s' WHERE id = 1`,
    "UPDATE user SET password_hash = '***', salt='***' WHERE id = 1",
  ],
  [
    "INSERT INTO user (username, password_hash) VALUES ('ann', 's3cr\\'et', 'cut",
    "INSERT INTO user (username, password_hash) VALUES ('***', '***', '***'",
  ],
])('%s is shown as %s', (statement, shown) => {
  expect(shownQuery(statement)).toBe(shown);
});

test('a long statement is shown to its 200th character', () => {
  expect(shownQuery(`SELECT ${'x'.repeat(5000)}`)).toHaveLength(200);
});
