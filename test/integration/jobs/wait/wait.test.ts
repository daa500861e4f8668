import {afterAll, beforeAll, expect, test} from 'vitest';
import {createSiteTime, type SiteTime} from '../../../../src/atom/site-time.ts';
import {connectServers} from '../../../../src/gearman/server.ts';
import {fetchStates} from '../../../../src/jobs/wait/poll.ts';
import {connectDatabase} from '../../../../src/mysql/connect.ts';
import type {Database} from '../../../../src/mysql/database.ts';
import {quietFacts} from '../../../support/quiet-host.ts';
import {
  type AtomSite,
  createSite,
  type GearmanProcess,
  startGearmand,
  submitJob,
} from '../../../support/sandbox.ts';

let gearmand: GearmanProcess;
let site: AtomSite;
let database: Database;
let time: SiteTime;

beforeAll(async () => {
  gearmand = await startGearmand();
  site = await createSite({gearman: [gearmand.endpoint]});
  database = await connectDatabase(site.config, {timeoutSeconds: 5});
  time = createSiteTime(site.timezone, process.env);
});

afterAll(async () => {
  await database?.close();
  await Promise.all([gearmand?.stop(), site?.drop()]);
});

/** Looks at the jobs; `between` happens before a second look, if there is one. */
async function look(ids: number[], between: () => Promise<unknown> = async () => {}) {
  const now = () => new Date();
  let pauses = 0;
  const pause = async () => {
    pauses += 1;
    await between();
  };
  const servers = await connectServers([gearmand.address], {timeoutSeconds: 5});
  const options = {database, time, now: now(), ids, live: true, pause};
  const {jobs} = await fetchStates(options, async () => ({
    servers,
    now,
    ...quietFacts(site.prefix),
  }));
  for (const connection of servers) if ('server' in connection) connection.server.close();
  return {states: jobs.map(({status, live}) => live ?? status), pauses};
}

test('a job is reported as lost only if a second poll finds it lost too', async () => {
  const params = (id: number) =>
    `[info] [2026-03-04 13:05:00] Job ${id} "arFindingAidJob": Parameters: {"id":"${id}"}\n`;
  const [lost, ending] = [
    await site.insertJob({status: 'running'}),
    await site.insertJob({status: 'running'}),
  ];
  await site.query('UPDATE job SET output = ? WHERE id = ?', [params(lost), lost]);
  await site.query('UPDATE job SET output = ? WHERE id = ?', [params(ending), ending]);
  const end = () => site.query('UPDATE job SET status_id = 184 WHERE id = ?', [ending]);
  expect(await look([lost, ending], end)).toEqual({states: ['lost', 'completed'], pauses: 1});

  const {id: queued} = await submitJob(site, {startedAt: '2026-03-04 13:05:00'});
  expect(await look([queued, ending])).toEqual({states: ['completed', 'uncertain'], pauses: 0});
  const submit = async () => (await submitJob(site, {startedAt: '2026-03-04 13:05:00'})).id;
  expect(await look([lost, queued], submit)).toMatchObject({states: ['lost', 'uncertain'], pauses: 1});
});
