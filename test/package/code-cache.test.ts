import {expect, it} from 'vitest';
import {createSite, runAtomctl} from '../support/sandbox.ts';

it('the executable has a code cache that fits for each module that a list of jobs loads', async () => {
  const site = await createSite();
  await site.seedJobs(3);
  const {code, stdout, stderr} = await runAtomctl(['jobs:list', '--ids'], {
    env: {...site.env, DEBUG: 'atomctl'},
  });
  expect({code, lines: stdout.trim().split('\n').length}).toEqual({code: 0, lines: 3});
  expect(stderr).not.toContain('code cache');
  await site.drop();
});
