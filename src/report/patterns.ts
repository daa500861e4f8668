/** What looks like a name or a secret, whether it is known or not. */
import {isIP} from 'node:net';

/** What stands for a name or a secret, and the kind of names that `--with` keeps; a secret is never kept. */
export const LABELS = {
  user: 'users',
  email: 'users',
  host: 'hosts',
  site: 'hosts',
  database: 'hosts',
  title: 'titles',
  file: 'files',
  prefix: 'secrets',
  token: 'secrets',
  secret: 'secrets',
} as const;

export type Label = keyof typeof LABELS;
export type Kind = (typeof LABELS)[Label];

/** The kinds of names that a report can keep. */
export const NAME_KINDS = ['users', 'hosts', 'titles', 'files'] as const;
export type NameKind = (typeof NAME_KINDS)[number];

export interface Pattern {
  label: Label;
  /** With the flags g and d. The first group that took part is what is replaced; without groups, all. */
  pattern: RegExp;
  /** What is left as it is. */
  isPlain?: (text: string) => boolean;
}

const SECRET_NAME =
  '[\\w-]*(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api_?-?key|private_?-?key|workers_?key|authorization|cookie|csrf|salt|session(?:_?id)?|credentials?)';
const VALUE = '(?:"((?:[^"\\\\]|\\\\.)*)"|\'([^\']*)\'|([^\\s,;&"\'<>{}\\]]+))';
const WORD = '[\\p{L}\\p{N}_-]+';
const SUFFIXES =
  'com|org|net|edu|gov|mil|int|info|eu|local|lan|internal|intranet|corp|localdomain|ca|uk|de|fr|nl|be|ch|at|es|it|pt|br|mx|ar|cl|co|au|nz|us|se|dk|fi|pl|cz|ie|jp|kr|cn|in|za';
const FILE_SUFFIXES = 'js|ts|sh|py|md|gz|xz|so|rb|pl|cc|cs|db';
/** systemd's names of instances have an @, too. */
const UNIT = '(?:service|socket|target|timer|slice|scope|mount|path|device|swap)';

const MASKED = /^\**$/;
const isMasked = (text: string) => MASKED.test(text);

/** This host by any name, and AtoM's own site. */
const PUBLIC_HOSTS =
  /^(?:localhost|\[?::1?\]?|0\.0\.0\.0|127\.[\d.]+|::ffff:127\.[\d.]+|(?:[\w-]+\.)*accesstomemory\.org)$/i;
const isPublicHost = (text: string) => PUBLIC_HOSTS.test(text);

export const PATTERNS: readonly Pattern[] = [
  {label: 'secret', pattern: /-----BEGIN [^-]+-----([\s\S]*?)(?:-----END|$)/dg},
  {
    label: 'secret',
    pattern: new RegExp(`${SECRET_NAME}["']?\\s*(?:=>|[=:])\\s*${VALUE}`, 'dgiu'),
    isPlain: isMasked,
  },
  {
    label: 'secret',
    pattern: new RegExp(`--[\\w-]*(?:pass|secret|token)\\w*\\s+${VALUE}`, 'dgiu'),
    isPlain: isMasked,
  },
  {label: 'secret', pattern: /\bmysql\w*\b[^\n]*?\s-p(\S+)/dgi, isPlain: isMasked},
  {label: 'secret', pattern: /:\/\/[^\s:@/]*:(\S+)@/dg, isPlain: isMasked},
  {label: 'secret', pattern: /\b(?:basic|bearer|digest)\s+([\w+/=.~-]{8,})/dgi},
  {label: 'token', pattern: /[\da-f]{32,}/dgi},
  {label: 'token', pattern: /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/dgi},
  {label: 'token', pattern: /\beyJ[\w-]+\.[\w-]+\.[\w-]*/dg},
  {label: 'token', pattern: /[\w+-]{32,}={0,2}/dg, isPlain: (text) => !isRandom(text)},
  {
    label: 'email',
    pattern: new RegExp(`[\\p{L}\\p{N}._%+'-]+@(?!\\S+\\.${UNIT}\\b)${WORD}(?:\\.${WORD})*`, 'dgu'),
  },
  {label: 'user', pattern: /:\/\/([^\s:@/]+)(?::\S*)?@/dg},
  {label: 'user', pattern: /\/(?:home|Users)\/([^/\s:;,"')\]]+)/dg},
  {label: 'user', pattern: /\buser(?:name)?=([^\s;&"']+)/dgi},
  {label: 'host', pattern: /:\/\/(?:\S*@)?(\[[\da-f:.]+\]|[^\s/:@?#"'<>)]+)/dgi, isPlain: isPublicHost},
  {label: 'host', pattern: /\bhost(?:name)?=([^\s;&"']+)/dgi, isPlain: isPublicHost},
  // A database in a file: its path has names only where other patterns find them.
  {label: 'database', pattern: /(?<!sqlite3?-)\bdb(?:name)?=(?!\/)([^\s;&"']+)/dgi},
  {
    label: 'host',
    pattern: new RegExp(`(?:${WORD}\\.)+(?:${SUFFIXES})(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}])`, 'dgiu'),
    isPlain: isPublicHost,
  },
  {
    label: 'host',
    pattern: new RegExp(
      `(?:${WORD}\\.){2,}(?!(?:${FILE_SUFFIXES})\\b)[a-z]{2}(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}])`,
      'dgiu',
    ),
    isPlain: isPublicHost,
  },
  {
    label: 'host',
    pattern: /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)/dg,
    isPlain: (text) => isIP(text) === 0 || isPublicHost(text),
  },
  {
    label: 'host',
    pattern: /(?<![\w:])[\da-f]*(?::[\da-f]*){2,}(?:\.\d{1,3}){0,3}(?!\w)/dgi,
    isPlain: (text) => isIP(text) === 0 || isPublicHost(text) || !/\d/.test(text),
  },
];

/** Letters of both cases and several digits: no word is like that. */
function isRandom(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && (text.match(/\d/g)?.length ?? 0) >= 3;
}

/** Every host of these domains. */
export function hostsOf(domains: readonly string[]): Pattern[] {
  if (domains.length === 0) return [];
  const any = domains.map((domain) => domain.replaceAll('.', '\\.')).join('|');
  return [{label: 'host', pattern: new RegExp(`(?:${WORD}\\.)*(?:${any})`, 'dgiu')}];
}
