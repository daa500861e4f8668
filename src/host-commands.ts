import {existsSync} from 'node:fs';

/** What advice says of starting the site's services on this host. */
export interface HostCommands {
  /** A command. It starts a worker that does not run. */
  startWorker: string;
  /** A command, or what to do. */
  restartWorker: string;
  /** The same, after a command. */
  restartWorkerAfter: (command: string) => string;
  /** A command, or what to do, to see what the worker printed. */
  seeWorkerOutput: string;
  startGearmand: string;
  startSearchEngine: string;
}

export const BY_SYSTEMD: HostCommands = {
  // With --reset also at the start limit, at which a plain start is refused.
  startWorker: 'atomctl worker:start --reset',
  restartWorker: 'atomctl worker:restart',
  restartWorkerAfter: (command) => `${command} && atomctl worker:restart`,
  seeWorkerOutput: 'atomctl worker:logs',
  startGearmand: 'systemctl start gearman-job-server (not on Debian: systemctl start gearmand)',
  startSearchEngine: 'On its host: systemctl start elasticsearch',
};

const RESTART_BY_HAND =
  'end the workers (to see them: atomctl queue:workers) and start them again (atomctl worker:run), or restart their containers';

/** No command of systemd, and none of atomctl that needs it. */
export const BY_HAND: HostCommands = {
  startWorker: 'atomctl worker:run',
  restartWorker: RESTART_BY_HAND,
  restartWorkerAfter: (command) => `${command}; then ${RESTART_BY_HAND}`,
  seeWorkerOutput: 'look at its terminal, or at the log of its container',
  startGearmand: 'start its container, or start gearmand as its host starts it',
  startSearchEngine: 'Start it as its host starts it',
};

/** It exists if systemd has started the machine: sd_booted(3), by which systemctl itself decides. No process is started for it. */
const SYSTEMD_DIRECTORY = '/run/systemd/system';

/** What holds on this host. */
export function hostCommands(systemdDirectory = SYSTEMD_DIRECTORY): HostCommands {
  return existsSync(systemdDirectory) ? BY_SYSTEMD : BY_HAND;
}
