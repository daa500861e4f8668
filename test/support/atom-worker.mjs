/**
 * What `php symfony jobs:worker` is to AtoM: takes this site's jobs from every Gearman server, one at a time, and
 * keeps their rows. Plain JavaScript, so that a service unit can run it with nothing but Node and node_modules.
 *
 *     atom-worker.mjs ROOT [--abilities=a,b] [--types=t] [--max-job-count=N]
 *
 * What a job does is in its parameters: {"sandbox": {"seconds": 2, "lines": 3, "error": "what went wrong"}}.
 */
import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {createConnection} from 'mysql2/promise';
import {connectGearman, TYPE} from './gearman-wire.mjs';

const STATUS = {running: 183, completed: 184, error: 185};
const LOG_LIMIT = 65_534;
const RECONNECT_MS = 500;
/** What AtoM's worker exits with when it has done as many jobs as it was told to. */
const EXIT_LIMIT_REACHED = 111;
/** PHP's exit status after an uncaught exception. */
const EXIT_CRASHED = 255;

const {values: flags, positionals} = parseArgs({
  allowPositionals: true,
  options: {
    abilities: {type: 'string'},
    types: {type: 'string'},
    'max-job-count': {type: 'string'},
    'max-mem-usage': {type: 'string'},
  },
});
const root = positionals[0] ?? process.cwd();
const site = JSON.parse(await readFile(join(root, 'config/sandbox.json'), 'utf8'));
const clientId = `pid_${process.pid}_${randomBytes(7).toString('hex').slice(0, 13)}`;
const database = await createConnection({...site.database, charset: 'utf8mb4_unicode_ci', dateStrings: true});
let jobsLeft = Number(flags['max-job-count'] ?? Number.POSITIVE_INFINITY);

process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));

const servers = await Promise.all(site.gearman.map((endpoint) => register(endpoint)));
for (const ability of abilities()) console.log(`New ability: ${ability}`);
console.log('Running worker...');
console.log(`PID ${process.pid}`);
await work();

function abilities() {
  const types = flags.types?.split(',') ?? Object.keys(site.workerTypes);
  const classes = flags.abilities?.split(',') ?? types.flatMap((type) => site.workerTypes[type] ?? []);
  return classes.map((jobClass) => `${site.prefix}-${jobClass}`);
}

async function register(endpoint) {
  const connection = await connectGearman(endpoint);
  connection.send(TYPE.SET_CLIENT_ID, clientId);
  for (const ability of abilities()) connection.send(TYPE.CAN_DO, ability);
  connection.send(TYPE.ECHO_REQ, 'registered');
  await connection.receive();
  return {endpoint, connection};
}

/** Asks each server in turn for a job; where none has any, sleeps until one of them calls or comes back. */
async function work() {
  for (;;) {
    let found = false;
    for (const server of servers) found = (await takeJob(server)) || found;
    if (!found) await Promise.race(servers.map(sleepUntilCalled));
  }
}

/** Does one job of this server. False where it has none, or has gone. */
async function takeJob(server) {
  server.connection?.send(TYPE.GRAB_JOB);
  for (;;) {
    const packet = await server.connection?.receive();
    if (!packet) return lose(server);
    if (packet.type === TYPE.NO_JOB) return false;
    if (packet.type === TYPE.JOB_ASSIGN) {
      const [handle, , payload] = packet.fields;
      if (await execute(payload)) server.connection.send(TYPE.WORK_COMPLETE, handle, '');
      else server.connection.send(TYPE.WORK_FAIL, handle);
      await countDown(server);
      return true;
    }
  }
}

function sleepUntilCalled(server) {
  server.connection?.send(TYPE.PRE_SLEEP);
  return server.connection?.arrival() ?? server.back;
}

/** Goes on with the other servers while this one is away. */
function lose(server) {
  if (server.connection !== null) server.back = reconnect(server);
  server.connection = null;
  return false;
}

async function reconnect(server) {
  for (;;) {
    await sleep(RECONNECT_MS);
    try {
      return Object.assign(server, await register(server.endpoint));
    } catch {}
  }
}

async function countDown(server) {
  jobsLeft -= 1;
  if (jobsLeft > 0) return;
  server.connection.send(TYPE.ECHO_REQ, 'done');
  await server.connection.receive();
  process.exit(EXIT_LIMIT_REACHED);
}

/** Runs a job as AtoM's arBaseJob does. True where Gearman is to be told that it is complete. */
async function execute(payload) {
  const parameters = JSON.parse(payload);
  const [[row]] = await database.query('SELECT name FROM job WHERE id = ?', [parameters.id]);
  if (row === undefined) {
    console.log(`Called a Gearman worker with an invalid QubitJob id ${parameters.id}.`);
    return false;
  }
  const job = {id: parameters.id, name: row.name};
  const {seconds = 0, lines = 0, error = null} = parameters.sandbox ?? {};
  await save('UPDATE job SET status_id = ? WHERE id = ?', [STATUS.running, job.id]);
  await log(job, 'Job started.');
  await log(job, `Parameters: ${payload}`);
  for (let line = 1; line <= lines; line++) {
    await sleep((seconds * 1000) / lines);
    await log(job, `Step ${line} of ${lines}.`);
  }
  if (lines === 0) await sleep(seconds * 1000);
  if (error !== null) await log(job, error);
  else await log(job, 'Job finished.');
  await finish(job, error === null ? STATUS.completed : STATUS.error);
  return true;
}

async function finish(job, status) {
  await save('UPDATE job SET status_id = ?, completed_at = ? WHERE id = ?', [status, wallClock(), job.id]);
}

async function log(job, message) {
  const line = `[info] [${wallClock()}] Job ${job.id} "${job.name}": ${message}`;
  console.log(line);
  await save("UPDATE job SET output = LEFT(CONCAT(COALESCE(output, ''), ?), ?) WHERE id = ?", [
    `${line}\n`,
    LOG_LIMIT,
    job.id,
  ]);
}

/** AtoM's worker does not survive the loss of the row that it works on. */
async function save(sql, values) {
  const [{affectedRows}] = await database.query(sql, values);
  if (affectedRows > 0) return;
  console.error('PHP Fatal error: Uncaught PropelException: the row of this job is gone.');
  process.exit(EXIT_CRASHED);
}

function wallClock() {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone: site.timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format();
}
