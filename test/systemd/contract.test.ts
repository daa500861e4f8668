import {constants} from 'node:os';
import {inject, test} from 'vitest';
import {systemctl} from '../../src/systemd/systemctl.ts';
import {until} from '../support/until.ts';
import {systemdContract} from '../support/workers/systemd-contract.ts';
import {inRig, type RigAddress, writeInRig} from './rig.ts';

const rig = inject('rig');

if ('skipped' in rig) test('systemd, the real one', ({skip}) => skip(rig.skipped));
else {
  process.env.PATH = `${rig.tools}:${process.env.PATH}`;
  const manager = systemctl({scope: 'system', sudo: false, readSeconds: 10, changeSeconds: 30});
  systemdContract('the real one', () => ({
    manager,
    install: (name) => install(rig, name),
    exit: (name, status) => exit(rig, name, status),
  }));
}

/** The shell ends with the status that stands in a file once it is sent SIGUSR1, and with 0 on SIGTERM. */
async function install(rig: RigAddress, name: string): Promise<void> {
  const script = `trap 'exit $(cat /run/${name}.status)' USR1; trap 'exit 0' TERM; while :; do sleep 0.05; done`;
  await writeInRig(
    rig,
    `/etc/systemd/system/${name}`,
    `[Unit]
StartLimitIntervalSec=24h
StartLimitBurst=3
[Service]
WorkingDirectory=/var
ExecStart=/bin/sh -c "${script.replaceAll('$', '$$$$')}" jobs:worker
Restart=on-failure
RestartSec=100ms
[Install]
WantedBy=multi-user.target
`,
  );
  await inRig(rig, 'systemctl', 'daemon-reload');
}

async function exit(rig: RigAddress, name: string, status: number): Promise<void> {
  await writeInRig(rig, `/run/${name}.status`, String(status));
  await until(() => catchesSignal(rig, name));
  await inRig(rig, 'systemctl', 'kill', '--kill-who=main', '--signal=USR1', name);
}

/** A shell that has just started would die of the signal. */
async function catchesSignal(rig: RigAddress, name: string): Promise<boolean> {
  const {stdout: pid} = await inRig(rig, 'systemctl', 'show', '-p', 'MainPID', '--value', name);
  const {stdout} = await inRig(rig, 'grep', 'SigCgt', `/proc/${pid.trim()}/status`);
  const [, mask = '0'] = /SigCgt:\s+([0-9a-f]+)/.exec(stdout) ?? [];
  return (BigInt(`0x${mask}`) & (1n << BigInt(constants.signals.SIGUSR1 - 1))) !== 0n;
}
