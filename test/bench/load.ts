/**
 * `npm run bench:load [-- SECONDS]`: does `queue:status --watch=1` keep its
 * sockets and its memory, and does it leave the workers their throughput? Forty workers, ten thousand queued jobs, a look
 * each second for two minutes; in between it is halted for as long, so that both halves of a figure see the same machine.
 */
import {spawn} from 'node:child_process';
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {cpus} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {cleanEnvironment, commandLine} from '../support/atomctl/run-atomctl.ts';
import {startGearmand} from '../support/servers/gearmand.ts';
import {startMariadb} from '../support/servers/mariadb.ts';
import {spawnServer} from '../support/servers/server-process.ts';
import {createAtomSite} from '../support/site/atom-site.ts';
import {until} from '../support/until.ts';

const WORKERS = 40;
const QUEUED = 10_000;
const MILLISECONDS = 50;
const SPELL_SECONDS = 10;
const WATCHED_SECONDS = Number(process.argv[2] ?? 120);

const [mariadb, gearmand] = await Promise.all([startMariadb(), startGearmand()]);
const site = await createAtomSite(mariadb, {gearman: [gearmand.endpoint]});
await site.seedJobs(QUEUED);

const workers = spawnServer(process.execPath, [
  fileURLToPath(new URL('load-workers.mjs', import.meta.url)),
  gearmand.endpoint,
  site.functionName('arFindingAidJob'),
  ...[WORKERS, QUEUED, MILLISECONDS].map(String),
]);
await until(() => workers.output().includes('ready'));

const watch = spawn(...commandLine(['queue:status', '--watch=1', '--json']), {
  env: cleanEnvironment(site.env),
  stdio: ['ignore', 'pipe', 'inherit'],
});
let poll = 0;
watch.stdout.setEncoding('utf8').on('data', (text: string) => {
  poll += text.split('\n').length - 1;
});
await until(() => poll > 0);

interface Sample {
  memoryMib: number;
  sockets: number;
  serverSockets: number;
}

const samples: Sample[] = [];
const throughput = {watched: [] as number[], alone: [] as number[]};
for (let watched = 0; watched < WATCHED_SECONDS; watched += SPELL_SECONDS) {
  watch.kill('SIGCONT');
  throughput.watched.push(await spell(() => samples.push(takeSample())));
  watch.kill('SIGSTOP');
  throughput.alone.push(await spell(() => {}));
}
watch.kill('SIGCONT');
watch.kill('SIGTERM');
await Promise.all([workers.kill(), site.drop()]);
await Promise.all([mariadb.kill(), gearmand.kill()]);
report();

/** @returns jobs done in each second */
async function spell(everySecond: () => void): Promise<number> {
  const before = jobsDone();
  for (let second = 0; second < SPELL_SECONDS; second++) {
    await sleep(1000);
    everySecond();
  }
  return (jobsDone() - before) / SPELL_SECONDS;
}

function jobsDone(): number {
  return workers
    .output()
    .split('\n')
    .reduce((sum, line) => sum + (Number(line) || 0), 0);
}

function takeSample(): Sample {
  const [, kib] = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${watch.pid}/status`, 'utf8')) ?? [];
  return {
    memoryMib: Number(kib) / 1024,
    sockets: socketsOf(watch.pid!),
    serverSockets: socketsOf(gearmand.pid),
  };
}

function socketsOf(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).filter((fd) => {
    try {
      return readlinkSync(`${directory}/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

function report(): void {
  const third = Math.ceil(samples.length / 3);
  const row = (label: string, of: (sample: Sample) => number, digits: number) => {
    const figures = samples.map(of);
    const cells = [figures.slice(0, third), figures.slice(-third), figures].map((part, index) =>
      (index === 2 ? Math.max(...part) : median(part)).toFixed(digits),
    );
    return `| ${label} | ${cells.join(' | ')} |`;
  };
  const ratio = median(throughput.watched) / median(throughput.alone);
  console.log(
    [
      `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; ${WORKERS} workers, ${QUEUED} queued jobs, ${poll} looks in ${samples.length} s`,
      '',
      '| queue:status --watch=1 | first third, median | last third, median | most |',
      '| --- | --- | --- | --- |',
      row('its memory, MiB', ({memoryMib}) => memoryMib, 1),
      row('its sockets', ({sockets}) => sockets, 0),
      row("gearmand's sockets", ({serverSockets}) => serverSockets, 0),
      '',
      '| jobs a second | median | least | most |',
      '| --- | --- | --- | --- |',
      ...Object.entries(throughput).map(
        ([label, figures]) =>
          `| ${label} | ${[median(figures), Math.min(...figures), Math.max(...figures)].map((figure) => figure.toFixed(0)).join(' | ')} |`,
      ),
      '',
      `Throughput watched to alone: ${ratio.toFixed(3)}`,
    ].join('\n'),
  );
}

function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
