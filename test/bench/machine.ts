import {execFileSync} from 'node:child_process';
import {cpus, loadavg} from 'node:os';

/** The machine in one line, and how busy it is at the moment. */
export function machineLine(): string {
  const [, mariadb] =
    /Distrib ([\d.]+)/.exec(execFileSync('mariadb', ['--version'], {encoding: 'utf8'})) ?? [];
  const [minute] = loadavg();
  return `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, MariaDB ${mariadb}, load average ${minute!.toFixed(1)}`;
}
