/** What comes from a Gearman server that anyone may have put there, or whose functions anyone may name. */
import {readFileSync, writeFileSync} from 'node:fs';
import type {Socket} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {formatAddress} from '../../src/gearman/address.ts';
import {type AtomSite, createScratch, createSite, type RunResult, runAtomctl} from '../support/sandbox.ts';
import {scriptedServer} from '../support/servers/scripted-server.ts';

let site: AtomSite;
let scratch: string;

beforeAll(async () => {
  site = await createSite();
  await site.insertJob({status: 'running'});
  scratch = createScratch('hostile');
  // The process itself says at its end how much memory it had at most, in KiB.
  writeFileSync(
    join(scratch, 'peak.cjs'),
    `process.on('exit', () => require('fs').writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)))`,
  );
});

afterAll(() => site.drop());

/** Runs atomctl against a server that answers every line with this text. */
async function run(args: readonly string[], answer: string): Promise<RunResult & {peakMiB: number}> {
  const address = await scriptedServer((socket: Socket) =>
    socket.on('data', () => void socket.write(answer)),
  );
  const peak = join(scratch, 'peak');
  const env = {
    ...site.env,
    ATOMCTL_GEARMAN: formatAddress(address),
    NODE_OPTIONS: `--require=${join(scratch, 'peak.cjs')}`,
    PEAK: peak,
  };
  const result = await runAtomctl([...args], {env});
  return {...result, peakMiB: Number(readFileSync(peak, 'utf8')) / 1024};
}

const COMMANDS = [
  ['queue:status', '--no-database'],
  ['queue:workers'],
  ['jobs:list', '--running'],
  ['doctor'],
];
const row = 'f\t0\t0\t0\n';

describe('a status of 60 MiB', () => {
  test.for(COMMANDS)('S12, S19: %s reads a few MiB of it, and says so', async (args) => {
    const plain = await run(args, '.\n');
    const {stdout, stderr, peakMiB} = await run(args, `${row.repeat((60 * 1024 * 1024) / row.length)}.\n`);
    expect(stdout + stderr).toContain('is larger than 4 MiB');
    expect(stdout + stderr).not.toMatch(/call stack|Internal error/);
    expect(peakMiB - plain.peakMiB).toBeLessThan(60);
  });
});

describe('a status just below the limit', () => {
  test.for(COMMANDS)('S12, S19: %s works with memory to match', async (args) => {
    const names = Array.from({length: 150_000}, (_, index) => `${index.toString(36)}${row}`);
    const {stdout, stderr, peakMiB} = await run(args, `${names.join('')}.\n`);
    expect(stdout + stderr).not.toMatch(/call stack|Internal error|larger than/);
    expect(peakMiB).toBeLessThan(400);
  });
});

describe('lines that are not as Gearman writes them', () => {
  const answer = `${row}one\u001b]0;x\u0007\ntwo\nthree\n.\n`;

  test('S12: queue:status counts them as a warning', async () => {
    const {code, stdout} = await run(['queue:status', '--no-database', '--json'], answer);
    const {problems} = JSON.parse(stdout) as {problems: {state: string; message: string}[]};
    expect([code, problems]).toEqual([
      1,
      expect.arrayContaining([
        expect.objectContaining({
          state: 'warning',
          message: expect.stringMatching(/^\d+ lines of the answers of Gearman server \S+ could not be read/),
        }),
      ]),
    ]);
  });

  test('S12: doctor has a warning, and jobs:list a notice', async () => {
    const doctor = await run(['doctor', '--check', 'gearman-servers'], answer);
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(/lines .*could not be read/)]);
    const list = await run(['jobs:list', '--running'], answer);
    expect(list.stderr).toMatch(
      /^Warning: \d+ lines of the answers of Gearman server \S+ could not be read/m,
    );
    expect((await run(['jobs:list', '--running', '--quiet'], answer)).stderr).toBe('');
  });
});
