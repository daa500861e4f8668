import {expect, test} from 'vitest';
import {shownQuery} from '../../../../src/jobs/why/mask-query.ts';

test.each([
  ["SELECT *\n  FROM job WHERE name = 'x' LIMIT 5", "SELECT * FROM job WHERE name = '***' LIMIT 5"],
  ["CREATE USER a IDENTIFIED BY 's3cret'", "CREATE USER a IDENTIFIED BY '***'"],
  [
    `UPDATE user SET password_hash = "s3'cret", salt='it''s' WHERE id = 1`,
    "UPDATE user SET password_hash = '***', salt='***' WHERE id = 1",
  ],
  ["/* Anne's query */ UPDATE user SET hash='s3cret'", "UPDATE user SET hash='***'"],
  ["-- don't\nSET @k = 's3cret' # it's", "SET @k = '***'"],
  ["SELECT 5--1, `it's` FROM x WHERE a = 's3cret'", "SELECT 5--1, `it's` FROM x WHERE a = '***'"],
  ["UPDATE user SET hash=0x73336372, salt=X'7333'", "UPDATE user SET hash='***', salt=X'***'"],
  ["UPDATE user SET salt='a\\', hash='s3cret', sha1='b\\'", "UPDATE user SET salt='***' …"],
  ["UPDATE user SET salt = 'a', hash = 's3cret", 'UPDATE …'],
  ["/* s3cret' */ UPDATE /* s3cret", 'UPDATE …'],
  ["'s3cret", '…'],
])('%s is shown as %s', (statement, shown) => {
  expect(shownQuery(statement)).toBe(shown);
});

test('of a statement that was read to a part, what stands before the text that has no end is shown', () => {
  expect(shownQuery(`INSERT INTO x VALUES ('${'s3cret'.repeat(1000)}`)).toBe("INSERT INTO x VALUES ('***' …");
});

test('a long statement is shown to its 200th character', () => {
  expect(shownQuery(`SELECT ${'x'.repeat(5000)}`)).toHaveLength(200);
});
