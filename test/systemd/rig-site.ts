import {chmod} from 'node:fs/promises';
import {dirname} from 'node:path';
import type {RunResult} from '../support/atomctl/run-atomctl.ts';
import {type AtomSite, createAtomSite} from '../support/site/atom-site.ts';
import {atomctlCommand, inRig, type RigAddress, writeInRig} from './rig.ts';

/** A site whose worker is a unit of the rig's systemd, in the worlds inside and outside alike. */
export interface RigSite {
  site: AtomSite;
  /** The unit's name, with its suffix. */
  unit: string;
  atomctl(...args: string[]): Promise<RunResult>;
  /** As the account that the worker runs as, which systemd does not obey. */
  atomctlAsWorker(...args: string[]): Promise<RunResult>;
  /** The unit's properties as plain `systemctl show` prints them. */
  show(...properties: string[]): Promise<Record<string, string>>;
  /** Sends a signal to the unit's main process. */
  signal(name: string): Promise<void>;
}

const AS_WORKER = ['setpriv', '--reuid=www-data', '--clear-groups'];

/** Creates a site with both Gearman servers; its unit is still to be installed. */
export async function createRigSite(rig: RigAddress, name: string): Promise<RigSite> {
  process.env.TMPDIR = rig.scratch;
  const site = await createAtomSite(rig.mariadb, {name, gearman: rig.gearman});
  // The worker runs as www-data and has to come in.
  for (let directory = site.root; directory !== rig.scratch; directory = dirname(directory)) {
    await chmod(directory, 0o755);
  }
  const unit = `${name}.service`;
  const show = async (...properties: string[]) => {
    const {stdout} = await inRig(rig, 'systemctl', 'show', '-p', properties.join(','), unit);
    return Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/s, 2)),
    );
  };
  return {
    site,
    unit,
    show,
    atomctl: (...args) => inRig(rig, ...atomctlCommand(site.root, args)),
    atomctlAsWorker: (...args) => inRig(rig, ...AS_WORKER, ...atomctlCommand(site.root, args)),
    signal: async (name) => {
      await inRig(rig, 'systemctl', 'kill', '--kill-who=main', `--signal=${name}`, unit);
    },
  };
}

/** Overrides lines of a unit. */
export async function overrideUnit(rig: RigAddress, unit: string, lines: string): Promise<void> {
  await inRig(rig, 'mkdir', '-p', `/etc/systemd/system/${unit}.d`);
  await writeInRig(rig, `/etc/systemd/system/${unit}.d/test.conf`, lines);
  await inRig(rig, 'systemctl', 'daemon-reload');
}
