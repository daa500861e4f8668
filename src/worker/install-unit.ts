import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {AtomctlError} from '../errors.ts';
import {systemReason} from '../system-failure.ts';
import {runTool} from '../systemd/command.ts';
import type {Scope, ServiceManager} from '../systemd/systemctl.ts';

/** A unit file that could be written, compared with what is there. */
export interface UnitProposal {
  path: string;
  text: string;
  /** What is there now; null if nothing is. */
  before: string | null;
  /** Unified difference from what is there; empty if nothing changes. */
  difference: string;
}

/** The path of a unit file that an administrator writes: the machine's, or the user's own. */
export function unitPath(
  name: string,
  scope: Scope,
  env: Readonly<Record<string, string | undefined>>,
): string {
  if (scope === 'system') return join('/etc/systemd/system', name);
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'systemd/user', name);
}

/** @throws AtomctlError FAILED if what is there cannot be read */
export async function proposeUnit(path: string, text: string): Promise<UnitProposal> {
  const before = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw new AtomctlError('FAILED', `${path} could not be read: ${systemReason(error)}.`, {cause: error});
  });
  const {stdout} = await runTool(
    'diff',
    ['--unified', `--label=${path}`, `--label=${path} (new)`, before === null ? '/dev/null' : path, '-'],
    {deadlineSeconds: 10, input: text},
  );
  return {path, text, before, difference: stdout};
}

/**
 * Writes a proposed unit file and lets systemd read it.
 * @param options.sudo writes it with sudo
 * @throws AtomctlError SYSTEMD_REFUSED if the file may not be written; what the manager throws
 */
export async function installUnit(
  {path, text}: UnitProposal,
  {manager, sudo}: {manager: ServiceManager; sudo: boolean},
): Promise<void> {
  if (sudo) await writeWithSudo(path, text);
  else await write(path, text);
  await manager.reload();
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), {recursive: true});
    await writeFile(path, text, {mode: 0o644});
  } catch (error) {
    throw notWritable(path, systemReason(error), {hint: `Give --sudo, or ${byHand(path)}.`, cause: error});
  }
}

async function writeWithSudo(path: string, text: string): Promise<void> {
  const {status, stderr} = await runTool('sudo', ['tee', '--', path], {deadlineSeconds: 60, input: text});
  if (status === 0) return;
  const reason =
    stderr.trim().split('\n').at(-1)!.replace(/\.$/, '') || `sudo ended with exit status ${status}`;
  throw notWritable(path, reason, {hint: 'Run it as root, without --sudo.'});
}

/**
 * The active units of a unit file, a template's instances among them: until they are restarted, they run as their file was when
 * they started.
 * @throws AtomctlError as the manager's methods do
 */
export async function runningUnits(name: string, manager: ServiceManager): Promise<string[]> {
  const [base] = name.split('@.service');
  const isOne = (unit: string) => unit === name || (base !== name && unit.startsWith(`${base}@`));
  return (await manager.services())
    .filter(({active, name: unit}) => active === 'active' && isOne(unit))
    .map(({name: unit}) => unit);
}

function byHand(path: string): string {
  return `run "atomctl worker:unit | sudo tee ${path}" and "sudo systemctl daemon-reload"`;
}

function notWritable(path: string, reason: string, options: {hint: string; cause?: unknown}): AtomctlError {
  return new AtomctlError('SYSTEMD_REFUSED', `${path} could not be written: ${reason}.`, options);
}
