import {describe, expect, test} from 'vitest';
import {type HostFacts, liveStatesToAct} from '../../../../src/jobs/live/live-state.ts';
import type {Queryable} from '../../../../src/mysql/database.ts';
import {later, live, logOf, realHost} from '../../../support/live.ts';
import {useLiveRig} from '../../../support/live-rig.ts';
import {QUIET_HOST} from '../../../support/quiet-host.ts';
import {submitJob, until} from '../../../support/sandbox.ts';
import {insertLost} from '../../../support/site/queue-site.ts';

const rig = useLiveRig();
const PARAMETERS = '{"name":"arFindingAidJob","id":"7"}';
const HOUR = 60 * 60_000;

describe('gearmand is restarted while a worker executes it', () => {
  test('silent for an hour: likely executing while its process lives (T2), and AtoM saves its end', async () => {
    const job = await submitJob(rig.site, {work: {seconds: 4}});
    const worker = await rig.start('--abilities=arFindingAidJob');
    await rig.logged(job, 'Parameters: ');
    await rig.restartGearmand();
    const {states, reasons} = await live(rig.at, {host: realHost(rig.site), now: later(60)});
    expect([states, reasons[job.id]]).toEqual([
      {[job.id]: 'executing?'},
      `Worker process ${worker.pid} may be running it, because it is not connected to every Gearman server.`,
    ]);
    const status = 'SELECT status_id FROM job WHERE id = ?';
    await until(async () => (await rig.site.query(status, [job.id]))[0].status_id === 184);
    expect((await live(rig.at)).states).toEqual({});
  });

  test('an import of a file that its log does not show (T3)', async () => {
    const {id, worker} = await rig.execute('arFileImportJob');
    const host = realHost(rig.site);
    await until(async () => (await host.processes()).imports.length > 0);
    const [child] = (await host.processes()).imports;
    await rig.restartGearmand();
    await worker.kill();
    await rig.site.query(
      "UPDATE job SET output = REGEXP_REPLACE(output, '[^\\n]*Parameters[^\\n]*\\n', '') WHERE id = ?",
      [id],
    );
    const {states, reasons} = await live(rig.at, {host, now: later(60)});
    expect([states, reasons[id]]).toEqual([
      {[id]: 'executing?'},
      `Process ${child!.pid} imports a file and may be running it.`,
    ]);
  });

  test('other jobs that began before stay uncertain too, as the worker may work on any', async () => {
    const {id} = await rig.execute();
    await rig.restartGearmand();
    const other = await insertLost(rig.site, PARAMETERS);
    // The row's begin lies before every process: make it later than the worker's start.
    const begun = await restamp(other, new Date());
    const {states} = await live(rig.at, {host: realHost(rig.site), now: later(60)});
    expect(states).toEqual({[id]: 'executing?', [begun]: 'executing?'});
  });

  test('a stopped worker that Gearman has as connected is not idle: its job runs unexplained', async () => {
    const {worker} = await rig.execute();
    process.kill(worker.pid, 'SIGSTOP');
    await rig.site.query("DELETE FROM object WHERE class_name = 'QubitJob'");
    const lost = await restamp(await insertLost(rig.site, PARAMETERS), new Date());
    const {states, reasons} = await live(rig.at, {host: realHost(rig.site), now: later(60)});
    expect([states, reasons[lost]]).toEqual([
      {[lost]: 'executing?'},
      `Worker process ${worker.pid} may be running it, because a Gearman job that runs belongs to no row.`,
    ]);
  });

  test('its worker is younger by some seconds than the log says, as it took the job at once', async () => {
    const {id} = await rig.execute();
    await rig.restartGearmand();
    const begun = await restamp(id, new Date(Date.now() - 8000));
    const {states} = await live(rig.at, {host: realHost(rig.site), now: later(60)});
    expect(states).toEqual({[begun]: 'executing?'});
  });
});

describe('a begun job in no queue', () => {
  const unlike = (facts: Partial<HostFacts>): {host: HostFacts} => ({host: {...QUIET_HOST, ...facts}});
  const quiet = QUIET_HOST.processes;

  test.each<[string, {host: HostFacts}, RegExp]>([
    [
      'on a host whose processes cannot be read',
      unlike({processes: async () => ({...(await quiet()), unreadable: 'They are hidden.'})}),
      /^atomctl cannot see if a worker process is running it: They are hidden\.$/,
    ],
    [
      'if Gearman listens on the network',
      unlike({gearmand: async () => ({startedMs: null, onlyLoopback: false})}),
      /^A worker on another host may be running it/,
    ],
    [
      'if the configuration changed after it was created',
      unlike({configChangedMs: async () => Date.now()}),
      /^The site's configuration changed after the job was created/,
    ],
  ])('is only likely lost %s', async (_, options, reason) => {
    const id = await insertLost(rig.site, PARAMETERS);
    const {states, reasons} = await live(rig.at, options);
    expect([states, reasons[id]]).toEqual([{[id]: 'lost?'}, expect.stringMatching(reason)]);
    expect((await live(rig.at)).states).toEqual({[id]: 'lost'});
  });

  test('is only likely lost while a worker is connected whose process is not on this host', async () => {
    const id = await insertLost(rig.site, PARAMETERS);
    const {pid} = await rig.start('--abilities=arObjectMoveJob');
    // The quiet host shows no process.
    const {states, reasons} = await live(rig.at);
    expect([states, reasons[id]]).toEqual([
      {[id]: 'lost?'},
      expect.stringMatching(new RegExp(`^Worker pid_${pid}_\\w+ runs in a container or on another host`)),
    ]);
    expect((await live(rig.at, {host: realHost(rig.site)})).states).toEqual({[id]: 'lost'});
  });

  test('is only likely lost if its log is cut, so that its last lines are missing', async () => {
    const id = await insertLost(rig.site, PARAMETERS);
    await rig.site.query("UPDATE job SET output = RPAD(output, 65534, 'x') WHERE id = ?", [id]);
    const {states, reasons} = await live(rig.at);
    expect([states, reasons[id]]).toEqual([
      {[id]: 'lost?'},
      'The time of its last log line is not known, and a Gearman server may have restarted since it began.',
    ]);
  });

  test('is only likely lost on a database that takes no writes, which may be a replica', async () => {
    const id = await insertLost(rig.site, PARAMETERS);
    const {states, reasons} = await live(rig.at, {database: readOnly(rig.at.sources.database)});
    expect([states, reasons[id]]).toEqual([
      {[id]: 'lost?'},
      'The database is a replica or read-only, so its data may be old.',
    ]);
  });

  test('is not lost if it ended between the two reads', async () => {
    const id = await insertLost(rig.site, PARAMETERS);
    const meanwhile = () => rig.site.query('UPDATE job SET status_id = 184 WHERE id = ?', [id]);
    expect((await live(rig.at, {meanwhile})).states).toEqual({});
  });
});

describe('a job that is in no queue and never began', () => {
  const justNow = () => rig.at.sources.time.toWall(new Date());

  test('is new, and lost fifteen seconds later', async () => {
    const id = await rig.site.insertJob({status: 'running', startedAt: justNow()});
    const {states, reasons} = await live(rig.at);
    expect([states, reasons[id]]).toEqual([{[id]: '?'}, 'It is new: AtoM may still be submitting it.']);
    expect((await live(rig.at, {now: () => new Date(Date.now() + 16_000)})).states).toEqual({[id]: 'lost'});
  });

  test("is only likely lost while the zone's offset is not sure; a command that acts asks again after ten seconds (T9)", async () => {
    const clock = async () => ({uncertaintyMs: 26 * HOUR, reason: 'the offset was not observed.'});
    const options = {host: {...QUIET_HOST, clock}};
    const anHourAgo = rig.at.sources.time.toWall(new Date(Date.now() - HOUR));
    const id = await rig.site.insertJob({status: 'running', startedAt: anHourAgo});
    const old = await insertLost(rig.site);
    const {states, reasons} = await live(rig.at, options);
    expect([states, reasons[id]]).toEqual([
      {[id]: 'lost?', [old]: 'lost'},
      'Its age is not certain, because the offset was not observed.',
    ]);
    const waits: number[] = [];
    const act = (appear: boolean) =>
      liveStatesToAct(
        {...rig.at.sources, ...options},
        {
          firstSeen: new Map(),
          wait: async (milliseconds) => {
            waits.push(milliseconds);
            if (appear) await submitJob(rig.site);
          },
        },
        new Set([id]),
      );
    expect((await act(false)).verdicts.get(id)!.state).toBe('lost');
    expect(waits).toEqual([10_000]);
    // What AtoM submits meanwhile may be this job.
    expect((await act(true)).verdicts.get(id)!.state).toBe('uncertain');
  });

  test('is only likely lost if it was created in the future, so that the zone is wrong (T10)', async () => {
    const startedAt = rig.at.sources.time.toWall(new Date(Date.now() + 7 * HOUR));
    const id = await rig.site.insertJob({status: 'running', startedAt});
    const {states, reasons} = await live(rig.at);
    expect([states, reasons[id]]).toEqual([
      {[id]: 'lost?'},
      'Its start is in the future, so the timezone is wrong.',
    ]);
  });

  test('began between the two reads: a worker has it', async () => {
    const {id} = await submitJob(rig.site, {work: {seconds: 600}});
    const meanwhile = async () => {
      await rig.start('--abilities=arFindingAidJob');
      await rig.logged({id}, 'Parameters: ');
    };
    expect((await live(rig.at, {meanwhile})).states).toEqual({[id]: 'executing'});
  });
});

/** Gives every line of a log this time. */
async function restamp(id: number, time: Date): Promise<number> {
  const wall = rig.at.sources.time.toWall(time);
  const log = (await logOf(rig.site, id)).replace(/\[\d{4}-[^\]]*\]/g, `[${wall}]`);
  await rig.site.query('UPDATE job SET output = ? WHERE id = ?', [log, id]);
  return id;
}

/** A database that says of itself that it is read-only. */
function readOnly(database: Queryable): Queryable {
  return {
    query: async <T>(sql: string, values?: readonly unknown[]) =>
      database.query<T>(sql.replace('@@global.read_only', '1'), values as never),
  } as Queryable;
}
