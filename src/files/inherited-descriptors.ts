import {constants, openSync, readdirSync, readFileSync} from 'node:fs';

const O_CLOEXEC = 0o2000000;

/**
 * The entries of spawn's `stdio` from descriptor 3 on for a program of another user: /dev/null in place of each descriptor that
 * this process was given when it was started, such as a log or a lock of root's shell. Node itself keeps back only the first
 * sixteen, and those that follow them without a gap.
 */
export function coverInherited(): (number | 'ignore')[] {
  const inherited = new Set(readdirSync('/proc/self/fd').map(Number).filter(isInherited));
  const last = Math.max(2, ...inherited);
  if (last === 2) return [];
  const nothing = openSync('/dev/null', constants.O_RDWR);
  // What is ignored stays as it is: Node's own descriptors close by themselves.
  return Array.from({length: last - 2}, (_, index) => (inherited.has(index + 3) ? nothing : 'ignore'));
}

function isInherited(descriptor: number): boolean {
  if (descriptor < 3) return false;
  try {
    const [, flags] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))!;
    return (Number.parseInt(flags!, 8) & O_CLOEXEC) === 0;
  } catch {
    // Closed since the directory was read, as the directory itself.
    return false;
  }
}
