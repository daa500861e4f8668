import {utimesSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {findStaleCaches} from '../../../../src/atom/config/stale-cache.ts';
import {createRoot} from '../../../support/site/atom-files.ts';

it('finds each compiled file that is older than its newest source', async () => {
  const minutes = {
    'config/gearman.yml': 10,
    'apps/qubit/config/gearman.yml': 20,
    'config/app.yml': 10,
    'cache/qubit/prod/config/config_gearman.yml.php': 15,
    'cache/qubit/prod/config/config_app.yml.php': 15,
    'cache/qubit/worker/config/config_gearman.yml.php': 25,
    'cache/qubit/worker/config/config_app.yml.php': 5,
    'cache/qubit/worker/config/config_settings.yml.php': 1,
    'cache/qubit/cli/other': 1,
  };
  const root = createRoot(Object.fromEntries(Object.keys(minutes).map((path) => [path, ''])));
  for (const [path, minute] of Object.entries(minutes))
    utimesSync(join(root, path), minute * 60, minute * 60);
  expect(await findStaleCaches(root)).toEqual([
    {
      environment: 'prod',
      cache: `${root}/cache/qubit/prod/config/config_gearman.yml.php`,
      source: `${root}/apps/qubit/config/gearman.yml`,
    },
    {
      environment: 'worker',
      cache: `${root}/cache/qubit/worker/config/config_app.yml.php`,
      source: `${root}/config/app.yml`,
    },
  ]);
});

it('finds none if there is no cache or there are no sources', async () => {
  expect(await findStaleCaches(createRoot({'config/gearman.yml': ''}))).toEqual([]);
  expect(await findStaleCaches(createRoot({'cache/qubit/prod/config/config_app.yml.php': ''}))).toEqual([]);
});
