/** Keeps passwords that were typed in the wrong place out of every message: a mistyped argument is quoted. */

const MASK = '***';

/** `://USER:PASSWORD@`: up to the last @, since a password may hold one, a slash or a space. */
const IN_URL = /:\/\/[^:@/\s]*:(.+)@/s;
const NAME = '(?:pass(?:word|wd|phrase)?|\\bpwd)';
/** `password=PASSWORD`, as in PHP's data source names or as the value of a flag; and in JSON. */
const NAMED = [new RegExp(`${NAME}=([^;&]+)`, 'gi'), new RegExp(`${NAME}"\\s*:\\s*"([^"]+)`, 'gi')];
/** In a sentence it ends at a space. */
const NAMED_IN_TEXT = new RegExp(`(${NAME}(?:=|"\\s*:\\s*)["']?)(?!\\*\\*\\*)[^;&"'\\s]+`, 'gi');
/** As mysql takes it. */
const AFTER_P = /^-p(.+)$/s;
/** A shorter one would mask letters of every word. */
const SHORTEST = 3;

/** The passwords that a command line shows, whatever flag or argument they are in; also as they are without URL encoding. */
export function secretsIn(argv: readonly string[]): string[] {
  const found = argv.flatMap((token, index) => [
    IN_URL.exec(token)?.[1] ?? '',
    AFTER_P.exec(token)?.[1] ?? '',
    /^--\w*pass\w*$/i.test(argv[index - 1] ?? '') ? token : '',
    ...NAMED.flatMap((named) => [...token.matchAll(named)].map((match) => match[1]!)),
  ]);
  // In a message it may be quoted as JSON is.
  const both = found.flatMap((secret) => [secret, decoded(secret), JSON.stringify(secret).slice(1, -1)]);
  return [...new Set(both)].filter(({length}) => length >= SHORTEST).sort((a, b) => b.length - a.length);
}

function decoded(secret: string): string {
  try {
    return decodeURIComponent(secret);
  } catch {
    return secret;
  }
}

/** The text without these secrets, and without what looks like a password in a URL or after its name. */
export function maskPasswords(text: string, secrets: readonly string[] = []): string {
  return secrets
    .reduce((masked, secret) => masked.replaceAll(secret, MASK), text)
    .replace(/(:\/\/[^:@/\s]*):\S*@/g, `$1:${MASK}@`)
    .replace(NAMED_IN_TEXT, `$1${MASK}`);
}
