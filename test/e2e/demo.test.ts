import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {createDemoSite} from '../support/demo/demo-site.ts';
import {drawDemo, PICTURE, wordsOf} from '../support/demo/picture.ts';
import {cleanEnvironment} from '../support/sandbox.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What `bin/demo` starts after the build, which this run has done already. */
async function runDemo(args: readonly string[], stdin: string): Promise<{code: number; output: string}> {
  const child = spawn(
    process.execPath,
    ['--import', './test/support/typescript.mjs', 'test/support/demo/demo.ts', ...args],
    {cwd: repository, env: cleanEnvironment()},
  );
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.stdin.end(stdin);
  const [code] = await once(child, 'close');
  return {code, output};
}

async function expectNothingLeft(output: string): Promise<void> {
  const [scratch] = /\/[^\s"]*\/atomctl-\w{6}/.exec(output)!;
  expect(existsSync(scratch)).toBe(false);
  await expect(promisify(execFile)('pgrep', ['-f', scratch])).rejects.toMatchObject({code: 1});
  expect(workingDirectories().filter((path) => path.startsWith(scratch))).toEqual([]);
}

/** Of every process, because a worker's command line does not name its root. */
function workingDirectories(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`);
      } catch {
        return [];
      }
    });
}

test('the demo walks through the commands and leaves nothing behind', {timeout: 180_000}, async () => {
  const {code, output} = await runDemo([], '');
  expect(output).not.toContain('but must be');
  expect(code).toBe(0);
  expect(output).toMatch(/12 of \d+ jobs shown/);
  expect(output).toMatch(/executing[\s\S]*lost/);
  expect(output).toContain('startDate,endDate,jobName,jobStatus,jobInfo,jobUser');
  expect(output).toMatch(/"cleared": ?\d+/);
  expect(output).toMatch(/submitted\. Job \d+ was started again as job \d+/);
  expect(output).toMatch(/Started again as job \d+ with atomctl by .* Reason: the font is installed/);
  expect(output).not.toContain('f3b7c1d2e4');
  await expectNothingLeft(output);
});

test('the demo’s shell has atomctl and the site, and cleans up when it ends', {timeout: 60_000}, async () => {
  const {code, output} = await runDemo(['--shell'], 'echo root $ATOMCTL_ROOT\natomctl jobs:list --limit 3\n');
  expect(output).toMatch(/3 of \d+ jobs shown/);
  expect(code).toBe(0);
  await expectNothingLeft(output);
});

test('the picture in README shows what the demo shows; if not, run: npm run picture', {
  timeout: 60_000,
}, async () => {
  const demo = await createDemoSite();
  try {
    expect(wordsOf(await drawDemo(demo))).toBe(wordsOf(readFileSync(PICTURE, 'utf8')));
  } finally {
    await demo.remove();
  }
});
