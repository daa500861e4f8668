import {expect, test} from 'vitest';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {handedOut} from '../../../support/site/queue-site.ts';

const at = await createKillSite();

/** What keeps a row from being changed, and how it is taken away again. */
const OBSTACLES: [string, string[], string[], {reason?: string; deleteRows?: boolean}, RegExp][] = [
  [
    'a reason that the table cannot store',
    ['ALTER TABLE note_i18n MODIFY content TEXT CHARACTER SET utf8mb3'],
    ['ALTER TABLE note_i18n MODIFY content TEXT CHARACTER SET utf8mb4'],
    {reason: 'stuck 🐌'},
    /content/,
  ],
  [
    'a trigger that fails',
    [
      "CREATE TRIGGER obstacle BEFORE UPDATE ON job FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no change'",
    ],
    ['DROP TRIGGER obstacle'],
    {},
    /no change/,
  ],
  [
    'a foreign key of a plugin, with --delete',
    [
      'CREATE TABLE plugin (job_id INT NOT NULL, FOREIGN KEY (job_id) REFERENCES job (id)) ENGINE=InnoDB',
      'INSERT INTO plugin SELECT MAX(id) FROM job',
    ],
    ['DROP TABLE plugin'],
    {deleteRows: true},
    /plugin/,
  ],
  [
    'a read-only server',
    [
      "CREATE TRIGGER obstacle BEFORE INSERT ON note FOR EACH ROW SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1290",
    ],
    ['DROP TRIGGER obstacle'],
    {},
    /is read-only/,
  ],
];

test.each(OBSTACLES)(
  'K1: %s: the kill is refused, and the queue is untouched',
  async (_name, build, remove, options, message) => {
    const ids = await at.submit(3);
    for (const statement of build) await at.site.query(statement);
    try {
      const {first, exit} = await at.kill([ids[2]!], options);
      expect(first).toMatchObject({action: 'refused', gearman: 'remains'});
      expect(first.message).toMatch(
        /^The row of job \d+ cannot be changed: .* Nothing was changed in Gearman\.$/,
      );
      expect(first.message).toMatch(message);
      expect(exit).toBe(5);
    } finally {
      for (const statement of remove) await at.site.query(statement);
    }
    expect((await at.server.jobs()).map(({retries, ignored}) => [retries, ignored])).toEqual(
      ids.map(() => [0, false]),
    );
    expect(await at.statusOf(ids[2]!)).toBe(183);
    expect(await handedOut(at.site)).toEqual(ids);
  },
);
