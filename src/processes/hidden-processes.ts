/** Bit of CAP_SYS_PTRACE: whoever has it sees every process, whatever `hidepid` says. */
const CAP_SYS_PTRACE = 19n;

/**
 * Why the kernel may hide processes of other users from this one; null if it hides none.
 * @param mountInfo the content of /proc/self/mountinfo
 * @param status the content of /proc/self/status
 */
export function reasonForHidden(mountInfo: string, status: string): string | null {
  const option = hidepidOf(mountInfo);
  if (option === null || option === '0' || option === 'off') return null;
  const [, capabilities] = /^CapEff:\t([0-9a-f]{1,16})$/m.exec(status) ?? [];
  const seesAll = capabilities !== undefined && ((BigInt(`0x${capabilities}`) >> CAP_SYS_PTRACE) & 1n) === 1n;
  return seesAll
    ? null
    : `/proc is mounted with hidepid=${option}, which hides processes of other users; run atomctl as root.`;
}

/** The option `hidepid` of the file system that is mounted last on /proc; null without the option. */
function hidepidOf(mountInfo: string): string | null {
  const options = mountInfo.split('\n').flatMap((line) => {
    const [mount = '', source = ''] = line.split(' - ');
    return mount.split(' ')[4] === '/proc' && source.startsWith('proc ') ? [source.split(' ').at(-1)!] : [];
  });
  return /(?:^|,)hidepid=(\w{1,20})/.exec(options.at(-1) ?? '')?.[1] ?? null;
}
