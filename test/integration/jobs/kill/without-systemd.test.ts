import {expect, test} from 'vitest';
import {createKillSite} from '../../../support/jobs/kill-site.ts';

const at = await createKillSite();

/** A host on which a worker's process is one of the site's. */
const hostOf = ({pid}: {pid?: number}) => ({
  ...at.sources.host,
  processes: async () => ({
    unreadable: null,
    workers: [{pid: pid!, startedMs: 0, argv: []}],
    imports: [],
    otherSites: new Set<number>(),
  }),
  comesFromHere: async () => true,
});

test('an executing job is refused with the processes to end, the same for each of two workers', async () => {
  const [one, other] = [await at.execute(), await at.execute()];
  const {first} = await at.kill([one.id], {noSystemd: true, deleteRows: true});
  expect(first.message).toContain(
    `First cancel the job and change its row: atomctl jobs:kill ${one.id} --delete --force.`,
  );
  expect(first.message).toMatch(new RegExp(`atomctl jobs:why ${one.id}\\. Then start a worker again`));
  await at.kill([other.id], {force: true});
  await other.worker.kill();
});

test('the processes of the only worker are named in one command, and what comes next', async () => {
  const {id, worker} = await at.execute();
  const command = new RegExp(
    `Then end its worker: kill ${worker.pid}[ \\d]* \\(.*\\)\\. Then start a worker again`,
  );
  expect((await at.kill([id], {noSystemd: true, host: hostOf(worker)})).first.message).toMatch(command);
});

test('after --force, whose result says it too, only the worker is left to end', async () => {
  const {id, worker} = await at.execute();
  const end = `kill ${worker.pid}`;
  const forced = await at.kill([id], {noSystemd: true, host: hostOf(worker), force: true});
  expect(forced.first.message).toContain(`To end it: ${end}`);
  for (const deleteRows of [false, true]) {
    const {message} = (await at.kill([id], {noSystemd: true, host: hostOf(worker), deleteRows})).first;
    expect(message).toContain(
      `Job ${id} is already cancelled and marked (error); only its worker is left to end: ${end}`,
    );
    expect(message).not.toContain('--force');
    expect(message.includes(`atomctl jobs:kill ${id} --delete`)).toBe(deleteRows);
  }
});

test('--delete --force says that the worker may fail and end, the plan as the result', async () => {
  const {id} = await at.execute();
  const {message} = (await at.kill([id], {force: true, deleteRows: true})).first;
  expect(message).toContain('then it may fail and its process may end');
  expect(message).not.toContain('change the row back');
});

test('one whose key is not known goes back into the queue: it is taken out before a worker starts again', async () => {
  const {id, worker} = await at.execute();
  await at.site.query(`UPDATE job SET output = REPLACE(output, '"id":', '"id":1.0,"was":') WHERE id = ?`, [
    id,
  ]);
  const options = {noSystemd: true, host: hostOf(worker)};
  const refused = (await at.kill([id], options)).first.message;
  expect(refused).toMatch(
    /End its worker: kill .*Before another worker starts.*jobs:kill \d+\. Then start a worker/,
  );
  const {message} = (await at.kill([id], {...options, noSystemd: false, force: true})).first;
  expect(message).toMatch(
    /To end it: atomctl worker:stop .*jobs:kill \d+ --force\. Then .*worker:start --reset$/,
  );
});
