import {expect, it} from 'vitest';
import {boundNameLookups} from '../../../src/cli/base-command.ts';

it("the timeout of name lookups is in whole seconds, and the user's own setting wins", () => {
  const env: Record<string, string | undefined> = {};
  boundNameLookups(2.9, env);
  expect(env.RES_OPTIONS).toBe('timeout:2 attempts:1');
  boundNameLookups(9, env);
  expect(env.RES_OPTIONS).toBe('timeout:2 attempts:1');
  const short: Record<string, string | undefined> = {};
  boundNameLookups(0.1, short);
  expect(short.RES_OPTIONS).toBe('timeout:1 attempts:1');
});
