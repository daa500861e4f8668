import {execFile} from 'node:child_process';
import {access} from 'node:fs/promises';
import {join} from 'node:path';

const ZONES = '/usr/share/zoneinfo';
const TIMEOUT_MS = 2000;

/**
 * The offset that the system's own zone data give for an instant, in milliseconds east of UTC; null if the system has
 * no such zone. PHP on Debian and Ubuntu reads these data; Node brings its own.
 * @param zone an IANA zone
 */
export async function systemOffsetMs(zone: string, instant: Date): Promise<number | null> {
  // For a zone that it does not know, date takes UTC.
  const known = await access(join(ZONES, zone)).then(
    () => true,
    () => false,
  );
  if (!known) return null;
  const seconds = Math.floor(instant.getTime() / 1000);
  const output = await new Promise<string>((resolve) => {
    const options = {env: {TZ: `:${zone}`, LC_ALL: 'C', PATH: '/usr/bin:/bin'}, timeout: TIMEOUT_MS};
    execFile('date', ['-d', `@${seconds}`, '+%z'], options, (_, stdout) => resolve(stdout));
  });
  const [, sign, hour, minute] = /^([+-])(\d\d)(\d\d)$/m.exec(output) ?? [];
  if (sign === undefined) return null;
  return (sign === '-' ? -1 : 1) * (Number(hour) * 60 + Number(minute)) * 60_000;
}
