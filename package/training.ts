/**
 * Runs train.cjs on a site of its own, since what a command runs depends on what it finds there.
 *
 *     node --import ./test/support/typescript.mjs package/training.ts NODE DIRECTORY
 */
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {startGearmand} from '../test/support/servers/gearmand.ts';
import {startMariadb} from '../test/support/servers/mariadb.ts';
import {createAtomSite} from '../test/support/site/atom-site.ts';

/** What people and scripts call most. The functions of other commands are compiled when they are called. */
const COMMANDS = ['--version', 'queue:status', 'jobs:list', 'jobs:list --json --limit 5'];
const JOBS = 100;

const [node, directory] = process.argv.slice(2) as [string, string];
const [mariadb, gearmand] = await Promise.all([startMariadb(), startGearmand()]);
try {
  const site = await createAtomSite(mariadb, {gearman: [gearmand.endpoint]});
  await site.seedJobs(JOBS);
  const train = fileURLToPath(new URL('train.cjs', import.meta.url));
  await promisify(execFile)(node, [train, directory, ...COMMANDS], {
    env: {...site.env, HOME: '/nonexistent'},
  });
} finally {
  await Promise.all([mariadb.kill(), gearmand.kill()]);
}
