import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {CHECK_IDS} from '../../../src/doctor/run-checks.ts';

it('docs/doctor.md says of each check what it reads', () => {
  const text = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([\w-]+)` \| .+ \| .+ \|$/gm)].map(([, id]) => id);
  expect(rows).toEqual(CHECK_IDS);
});
