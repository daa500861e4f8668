/** `npm run demo`: a walk through the commands on a site of its own; `--shell`: a shell on it; `--picture`: README's picture. */
import {writeFile} from 'node:fs/promises';
import {createDemoSite} from './demo-site.ts';
import {drawDemo, PICTURE} from './picture.ts';
import {openShell} from './shell.ts';
import {walk} from './walk.ts';

console.log('Starting a MariaDB, a gearmand, a site with three months of jobs, and a worker.');
const demo = await createDemoSite();
let wrong = 0;
try {
  if (process.argv.includes('--shell')) await openShell(demo);
  else if (process.argv.includes('--picture')) await writeFile(PICTURE, await drawDemo(demo));
  else {
    wrong = await walk(demo);
    console.log('\nTo try commands of your own on such a site: npm run demo -- --shell');
  }
} finally {
  await demo.remove();
}
if (wrong > 0) console.log(`\n${wrong} steps did not end as they must.`);
process.exitCode = wrong > 0 ? 1 : 0;
