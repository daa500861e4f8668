/** Keeps the passwords in a process's arguments out of what is shown: any program may take one on its command line. */

const MASK = '***';

const SECRET = '(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key)';
/** `--db-password=X`, `MYSQL_PWD=X`, `"password":"X"`. */
const NAMED = new RegExp(`(${SECRET}[\\w-]*["']?\\s*[=:]\\s*["']?)[^\\s"'&;,]+`, 'gi');
/** The whole value of an argument that is nothing else, blanks included. */
const WHOLE = new RegExp(`^(-{0,2}[\\w.-]*${SECRET}[\\w-]*=).+$`, 'is');
/** `--password`, whose value is the next argument. */
const OPTION = new RegExp(`^--?[\\w-]*${SECRET}$`, 'i');
/** `://user:password@`: up to the last @, since a password may hold one. */
const IN_URL = /(:\/\/[^:@/\s]*):[^\s]*@/g;
/** `-pX`, as MySQL's programs take it; in other programs a mask too many does no harm. */
const AFTER_P = /(^|\s)-p(?=[^\s-])\S+/g;

/**
 * The arguments as one line, without what looks like a password.
 * @param argv as /proc/PID/cmdline has them; one of them may be a whole command line: `sh -c 'mysql -pX'`
 */
export function maskedCommand(argv: readonly string[]): string {
  return argv
    .map((arg, index) => (index > 0 && OPTION.test(argv[index - 1]!) ? MASK : maskedArgument(arg)))
    .join(' ');
}

function maskedArgument(arg: string): string {
  if (WHOLE.test(arg)) return arg.replace(WHOLE, `$1${MASK}`);
  return arg
    .replace(IN_URL, `$1:${MASK}@`)
    .replace(new RegExp(`(--[\\w-]*${SECRET}\\s+)\\S+`, 'gi'), `$1${MASK}`)
    .replace(NAMED, `$1${MASK}`)
    .replace(AFTER_P, `$1-p${MASK}`);
}
