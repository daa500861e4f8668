/**
 * Linux counts the times in /proc in ticks of 1/100 s on every architecture that Node runs on: USER_HZ is fixed at
 * 100 there, whatever the kernel's own HZ is.
 */
const TICKS_PER_SECOND = 100;

/** When the host booted, in ms since the epoch, from /proc/stat; null if the line `btime` is missing. */
export function parseBootTime(text: string): number | null {
  const [, seconds] = /^btime (\d{1,15})$/m.exec(text) ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

/**
 * The parent and the start (ms after boot) in /proc/PID/stat; null if the text is something else. Field 2 is the name
 * in parentheses and may hold spaces and parentheses, so the fields are counted from the last one that closes.
 */
export function parseStat(text: string): {ppid: number; startedAfterBoot: number} | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [ppid, ticks] = [fields[4 - 3], fields[22 - 3]].map((field) =>
    /^\d{1,15}$/.test(field ?? '') ? Number(field) : null,
  );
  if (ppid == null || ticks == null) return null;
  return {ppid, startedAfterBoot: (ticks * 1000) / TICKS_PER_SECOND};
}

/** The CPU time of a process in user and system mode, in /proc/PID/stat, without that of its children; null as above. */
export function parseCpuSeconds(text: string): number | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[14 - 3], fields[15 - 3]].map((field) =>
    /^\d{1,15}$/.test(field ?? '') ? Number(field) : null,
  );
  return user == null || system == null ? null : (user + system) / TICKS_PER_SECOND;
}

/** The memory of a process that is in RAM, in /proc/PID/status; null for one that has none, as one that has ended. */
export function parseResidentBytes(text: string): number | null {
  const [, kilobytes] = /^VmRSS:\s+(\d{1,12}) kB$/m.exec(text) ?? [];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** The effective user id in /proc/PID/status; null if the text is something else. */
export function parseUid(text: string): number | null {
  const [, uid] = /^Uid:\t\d+\t(\d{1,10})\t/m.exec(text) ?? [];
  return uid === undefined ? null : Number(uid);
}
