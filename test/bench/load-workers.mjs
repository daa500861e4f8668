/**
 * Forty workers that never run out of work: each takes a job, spends a moment on it, and submits another in its place.
 *
 *     load-workers.mjs ENDPOINT FUNCTION WORKERS QUEUED MILLISECONDS
 *
 * One process has them all, where forty PHP workers would leave the machine no room for what is measured.
 *
 * Prints `ready`, then, each second, how many jobs were done in it.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {connectGearman, TYPE} from '../support/servers/gearman-wire.mjs';

const [endpoint, name, workers, queued, milliseconds] = process.argv.slice(2);
const client = await connectGearman(endpoint);
let number = 0;
let done = 0;

async function submit() {
  number += 1;
  client.send(TYPE.SUBMIT_JOB_BG, name, `key-${number}`, JSON.stringify({id: number}));
  await client.receive();
}

async function work() {
  const server = await connectGearman(endpoint);
  server.send(TYPE.CAN_DO, name);
  for (;;) {
    server.send(TYPE.GRAB_JOB);
    const job = await server.receive();
    if (job?.type !== TYPE.JOB_ASSIGN) throw new Error('no job');
    await sleep(Number(milliseconds));
    server.send(TYPE.WORK_COMPLETE, job.fields[0], '');
    await submit();
    done += 1;
  }
}

while (number < Number(queued)) await submit();
for (let worker = 0; worker < Number(workers); worker += 1) work();
console.log('ready');
setInterval(() => {
  console.log(done);
  done = 0;
}, 1000);
