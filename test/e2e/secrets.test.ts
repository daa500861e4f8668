/** Passwords that were typed in the wrong place: no message, trace or JSON shows one. */
import {expect, test} from 'vitest';
import {runAtomctl} from '../support/sandbox.ts';

const SECRET = 'S3cret pass/w@rd"';

test.each<[string, string[]]>([
  ['S8: a URL as an option file', ['jobs:list', '--defaults-file', `mysql://atom:${SECRET}@db/atom`]],
  ['S8: a data source name as a URL', ['jobs:list', '--database-url', `mysql:host=db;password=${SECRET}`]],
  ['S17: a URL as the root', ['jobs:list', '--atom-root', `mysql://atom:${SECRET}@db/atom`]],
  ['a mistyped flag', ['jobs:list', `--databse-url=mysql://atom:${SECRET}@db/atom`]],
  [
    'a mistyped flag with a data source name',
    ['jobs:list', `--databse-url=mysql:host=db;password=${SECRET}`],
  ],
  ['a flag that does not exist', ['jobs:list', '--password', SECRET]],
  ['a flag as mysql takes it', ['jobs:list', `-p${SECRET}`]],
  ['an argument too many', ['jobs:list', `mysql://atom:${SECRET}@db/atom`]],
  ['a URL in place of a job', ['jobs:show', `mysql://atom:${SECRET}@db/atom`]],
  ['a URL as a command', [`mysql://atom:${SECRET}@db/atom`]],
  ['a URL as a site', ['jobs:list', '--site', `mysql://atom:${SECRET}@db/atom`]],
  ['a URL as a Gearman server', ['queue:status', '--gearman', `mysql://atom:${SECRET}@db/atom`]],
])('%s is refused without its password', async (_what, args) => {
  for (const more of [[], ['--json']]) {
    const {code, stdout, stderr} = await runAtomctl([...args, ...more], {env: {DEBUG: '*'}});
    expect(code).toBe(2);
    // Also not a part of it, as of a text that is cut at a space, a slash or a quote.
    expect(stdout + stderr).not.toMatch(/S3cret|w@rd/);
  }
});
