/**
 * `npm run test:runtimes`: installs the package under one Node.js and runs it under each other, and under those that
 * are too old. Downloads the runtimes with npm into a temporary directory. Linux only.
 */
import {execFile, execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const CURRENT = ['20.12.0', '20.19.5', '20.20.2', '22', '24'];
const OLD = ['12', '14', '18', '20.11.1'];
const COMMANDS = [
  ['--version', /^atomctl\/\S+ linux-\S+ node-v/],
  ['--help', /COMMANDS/],
  ['jobs:list --help', /USAGE\n {2}atomctl jobs:list/],
  ['config --json --quiet', /"database"/],
];
const SENTENCE = /^atomctl needs Node\.js 20\.12 or later, and this is \S+: get one from https:\S+\.\n$/;

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'atomctl-runtimes-'));
process.on('exit', () => rmSync(scratch, {recursive: true, force: true}));

let failures = 0;

function report(name, passed, detail = '') {
  if (!passed) failures += 1;
  console.log(`${passed ? 'passed' : 'FAILED'}  ${name}${passed || detail === '' ? '' : `: ${detail}`}`);
}

/** Returns the directory of the `node` of this version. */
function download(version) {
  const name = `node-linux-${process.arch}`;
  const prefix = join(scratch, `node-${version}`);
  npm(['install', `--prefix=${prefix}`, '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`]);
  return join(prefix, 'node_modules', name, 'bin');
}

/** Runs npm, under the Node.js in the directory `bin` if one is given. */
function npm(args, bin = dirname(process.execPath)) {
  const env = {...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`};
  return execFileSync('npm', args, {cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']});
}

function run(bin, atomctl, args) {
  return new Promise((resolve) => {
    const command = [atomctl, ...args.split(' ')];
    execFile(join(bin, 'node'), command, {cwd: scratch, timeout: 60_000}, (error, stdout, stderr) => {
      resolve({code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr});
    });
  });
}

npm(['run', 'build']);
const [{filename, unpackedSize}] = JSON.parse(npm(['pack', '--json', `--pack-destination=${scratch}`]));
console.log(`${filename}: ${(unpackedSize / 2 ** 20).toFixed(1)} MiB unpacked`);
const current = CURRENT.map((version) => ({version, bin: download(version)}));

let atomctl;
for (const installer of current) {
  const prefix = join(scratch, `installed-${installer.version}`);
  // npm needs a newer one than atomctl does.
  if (installer.version === '20.12.0') continue;
  npm(['install', '--global', `--prefix=${prefix}`, '--no-audit', join(scratch, filename)], installer.bin);
  atomctl = join(prefix, 'bin/atomctl');
  for (const {version, bin} of current) {
    const wrong = [];
    for (const [args, expected] of COMMANDS) {
      const {code, stdout, stderr} = await run(bin, atomctl, args);
      if (code !== 0 || stderr !== '' || !expected.test(stdout)) wrong.push(`${args} (${code}) ${stderr}`);
    }
    report(
      `installed under ${installer.version}, run under ${version}`,
      wrong.length === 0,
      wrong.join('; '),
    );
  }
}
for (const version of OLD) {
  const {code, stdout, stderr} = await run(download(version), atomctl, '--version');
  report(
    `${version} is too old`,
    code === 2 && stdout === '' && SENTENCE.test(stderr),
    `(${code}) ${stderr}`,
  );
}
process.exitCode = failures === 0 ? 0 : 1;
