/** Keeps the passwords in a process's arguments out of what is shown: any program may take one on its command line. */
import {basename} from 'node:path';

const MASK = '***';

const SECRET =
  '(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|(?:api|private|access)[-_]?key|auth(?:orization)?(?![a-z]))';
/** A word of a shell's command line, in quotes or not; one that is cut has no end. */
const WORD = `(?:'[^']*(?:'|$)|"(?:[^"\\\\]|\\\\.)*(?:"|$)|\\\\.|[^\\s'"\\\\])+`;
/** `--db-password=X`, `MYSQL_PWD="X Y"`, `"password":"X"`. */
const NAMED = new RegExp(
  `(${SECRET}[\\w-]*["']?\\s*[=:]\\s*)(?:(")(?:[^"\\\\]|\\\\.)*"?|(')(?:[^'\\\\]|\\\\.)*'?|[^\\s"'&;,]+)`,
  'gis',
);
/** The whole value of an argument that is nothing else, blanks included. */
const WHOLE = new RegExp(`^(-{0,2}[\\w.-]*${SECRET}[\\w-]*=).+$`, 'is');
/** `--password`, whose value is the next argument. */
const OPTION = new RegExp(`^--?[\\w-]*${SECRET}[\\w-]*$`, 'i');
const OPTION_AND_WORD = new RegExp(`((?:^|[\\s;|&(])--?[\\w-]*${SECRET}[\\w-]*\\s+)${WORD}`, 'gis');
/** `Authorization: Bearer X`, as far as the argument or its quotes go. */
const HEADER = /((?:authorization|cookie|x-[\w-]*(?:key|token|auth)[\w-]*)\s*:\s*)[^"']+/gi;
/** `://user:password@`: up to the last @, since a password may hold one. */
const IN_URL = /(:\/\/[^:@/\s]*):[^\s]*@/g;
const WHOLE_URL = /^([\w+.-]+:\/\/[^:@/\s]*):.*@/s;
/** `://token@`. */
const USER_IN_URL = /(:\/\/)[^:@/\s]+@/g;
/** `-pX`, as MySQL's programs take it; in other programs a mask too many does no harm. */
const AFTER_P = new RegExp(`(^|\\s)-p(?=[^\\s-])${WORD}`, 'gs');
const WHOLE_P = /^-p(?=[^\s-]).*$/s;

/** `user:password`, as curl takes it. */
const USER = /^(?:-u|-U|--user|--proxy-user)$/;
const USER_AND_WORD = new RegExp(`((?:^|\\s)(?:-[uU]\\s*|--(?:proxy-)?user[\\s=]\\s*))(${WORD})`, 'gs');

/** Programs with an option of one letter for a password. */
const SHORT = [
  {program: 'sshpass', letter: 'p'},
  {program: 'ldap\\w*', letter: 'w'},
  {program: 'redis-cli', letter: 'a'},
].map(({program, letter}) => ({
  name: new RegExp(`^${program}$`),
  option: `-${letter}`,
  line: new RegExp(`(\\b${program}\\s(?:[^;|&]*?\\s)?-${letter}\\s*)${WORD}`, 'gs'),
}));

/**
 * The arguments as one line, without what looks like a password.
 * @param argv as /proc/PID/cmdline has them; one of them may be a whole command line: `sh -c 'mysql -pX'`
 */
export function maskedCommand(argv: readonly string[]): string {
  const programs: string[] = [];
  let previous = '';
  return argv
    .map((arg) => {
      const masked = maskedAfter(previous, arg, programs);
      programs.push(basename(arg));
      previous = arg;
      return masked;
    })
    .join(' ');
}

function maskedAfter(previous: string, arg: string, programs: readonly string[]): string {
  if (OPTION.test(previous)) return MASK;
  if (USER.test(previous)) return withoutPassword(arg);
  for (const {name, option} of SHORT) {
    if (!programs.some((each) => name.test(each))) continue;
    if (previous === option) return MASK;
    if (arg.startsWith(option) && arg !== option) return `${option}${MASK}`;
  }
  return maskedArgument(arg);
}

function maskedArgument(arg: string): string {
  if (WHOLE.test(arg)) return arg.replace(WHOLE, `$1${MASK}`);
  if (WHOLE_P.test(arg)) return `-p${MASK}`;
  const line = SHORT.reduce((text, each) => text.replace(each.line, `$1${MASK}`), arg);
  return line
    .replace(WHOLE_URL, `$1:${MASK}@`)
    .replace(IN_URL, `$1:${MASK}@`)
    .replace(USER_IN_URL, `$1${MASK}@`)
    .replace(HEADER, `$1${MASK}`)
    .replace(OPTION_AND_WORD, `$1${MASK}`)
    .replace(NAMED, (_, name: string, double = '', single = '') => {
      const quote = double || single;
      return `${name}${quote}${MASK}${quote}`;
    })
    .replace(USER_AND_WORD, (_, option: string, word: string) => `${option}${withoutPassword(word)}`)
    .replace(AFTER_P, `$1-p${MASK}`);
}

/** What follows the first colon is left out. */
function withoutPassword(user: string): string {
  const colon = user.indexOf(':');
  const quote = /^["']/.exec(user)?.[0] ?? '';
  return colon === -1 ? maskedArgument(user) : `${user.slice(0, colon + 1)}${MASK}${quote}`;
}
