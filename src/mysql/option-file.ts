import {join} from 'node:path';
import {cannotBeRead, usageError} from '../errors.ts';
import {readdir, readSettingsFile} from '../files/sync-files.ts';
import {Secret} from '../secret.ts';
import type {DatabaseConfig, TlsMode} from './database.ts';

interface OptionLine {
  group: string;
  /** With dashes for underscores: MySQL treats them alike. */
  key: string;
  value: string | null;
  place: string;
}

/** MySQL's own limit for files that include each other. */
const MAX_INCLUDE_DEPTH = 10;

/**
 * The connection settings of a MySQL option file, from its groups `[client]` and `[atomctl]`. Within a group the last
 * mention wins, and `[atomctl]` overrides `[client]` in any order. A field that the file does not give is absent.
 * `host` clears the socket and the reverse; host=localhost with a socket, or a socket alone, is the socket, as for
 * MySQL's own clients.
 *
 * Follows MySQL's syntax: `#` and `;` comments, quotes, the escapes \b \t \n \r \\ \s, `!include`, `!includedir`.
 * @param origin of the path, for the error
 * @throws AtomctlError USAGE if the file cannot be read, everyone may write it, a line is wrong, or it says something about TLS
 *   that atomctl does not do; no message repeats a value
 */
export async function readOptionFile(file: string, origin: string): Promise<Partial<DatabaseConfig>> {
  const lines = await readLines(file, `${file} (${origin})`, 0);
  const options = new Map<string, OptionLine>();
  for (const group of ['client', 'atomctl']) {
    for (const line of lines) {
      if (line.group === group) options.set(line.key, line);
    }
  }
  return connectionFields(options);
}

function connectionFields(options: ReadonlyMap<string, OptionLine>): Partial<DatabaseConfig> {
  const fields: Partial<DatabaseConfig> = {};
  const host = options.get('host')?.value;
  const socket = options.get('socket')?.value;
  const user = options.get('user')?.value;
  const password = options.get('password')?.value;
  const database = options.get('database')?.value;
  const port = options.get('port');
  const tls = readTls(options);
  const serverKey = options.get('server-public-key-path')?.value;
  if (socket && (!host || host === 'localhost')) Object.assign(fields, {host: null, socketPath: socket});
  else if (host) Object.assign(fields, {host, socketPath: null});
  if (port?.value) fields.port = readPort(port);
  if (user) fields.user = user;
  if (password !== undefined && password !== null) fields.password = new Secret(password);
  if (database) fields.database = database;
  if (tls) fields.tls = tls;
  if (serverKey) fields.serverKeyFile = serverKey;
  return fields;
}

function readPort({value, place}: OptionLine): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw usageError(`The port at ${place} is not a number between 1 and 65535.`);
}

/**
 * MySQL writes `ssl-mode`, MariaDB `ssl` and `ssl-verify-server-cert`. `PREFERRED` requires nothing, so it is off.
 */
const SSL_MODES: Readonly<Record<string, TlsMode>> = {
  DISABLED: 'off',
  PREFERRED: 'off',
  REQUIRED: 'required',
  VERIFY_CA: 'verify-ca',
  VERIFY_IDENTITY: 'verify-identity',
};

/** What an option file may say about TLS. Anything else of it is refused: a login that is less safe than said would surprise. */
const TLS_OPTIONS = ['ssl', 'ssl-mode', 'ssl-ca', 'ssl-cert', 'ssl-key', 'ssl-verify-server-cert'];

function readTls(options: ReadonlyMap<string, OptionLine>): DatabaseConfig['tls'] | null {
  for (const [key, {place}] of options) {
    if (!/^(ssl|tls)/i.test(key) || TLS_OPTIONS.includes(key)) continue;
    throw usageError(
      `atomctl does not know the option ${key} at ${place}, which is about TLS.`,
      `Known options: ${TLS_OPTIONS.join(', ')}. Give a file without this option: --defaults-file.`,
    );
  }
  const certificate = clientCertificate(options);
  const mode = tlsMode(options);
  return mode === null ? null : {mode, caFile: options.get('ssl-ca')?.value || null, ...certificate};
}

/** @throws AtomctlError USAGE if a key is given without its certificate, or the reverse */
function clientCertificate(options: ReadonlyMap<string, OptionLine>) {
  const [certificate, key] = [options.get('ssl-cert'), options.get('ssl-key')];
  if (certificate?.value && key?.value) return {certFile: certificate.value, keyFile: key.value};
  const alone = certificate ?? key;
  if (alone === undefined) return {};
  throw usageError(`${alone.key} at ${alone.place} needs both ssl-cert and ssl-key.`);
}

/** Whatever a file says about TLS makes it required, unless ssl-mode or ssl=0 says otherwise. */
function tlsMode(options: ReadonlyMap<string, OptionLine>): TlsMode | null {
  const named = options.get('ssl-mode');
  if (named) {
    const mode = SSL_MODES[(named.value ?? '').toUpperCase()];
    if (mode) return mode;
    throw usageError(
      `The ssl-mode at ${named.place} is unknown.`,
      `Known modes: ${Object.keys(SSL_MODES).join(', ')}.`,
    );
  }
  if (isOn(options.get('ssl-verify-server-cert'))) return 'verify-identity';
  if (options.get('ssl-ca')?.value) return 'verify-ca';
  const ssl = options.get('ssl');
  if (ssl !== undefined) return isOn(ssl) ? 'required' : null;
  return ['ssl-cert', 'ssl-verify-server-cert'].some((key) => options.has(key)) ? 'required' : null;
}

function isOn(line: OptionLine | undefined): boolean {
  return line !== undefined && !['0', 'off', 'false'].includes((line.value ?? '1').toLowerCase());
}

async function readLines(file: string, name: string, depth: number): Promise<OptionLine[]> {
  const text = await readSettingsFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw cannotBeRead(`The option file ${name}`, cause);
  });
  const found: OptionLine[] = [];
  let group = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const place = `${file}:${index + 1}`;
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    if (line.startsWith('!')) {
      for (const included of await includedFiles(line, place, depth)) {
        found.push(...(await readLines(included, `${included} (${place})`, depth + 1)));
      }
      continue;
    }
    const header = /^\[([^\]]*)\]/.exec(line);
    if (header) group = header[1]!.trim();
    else found.push({group, place, ...readOption(line)});
  }
  return found;
}

async function includedFiles(line: string, place: string, depth: number): Promise<string[]> {
  const [, directive, target] = /^!(include|includedir)\s+(.+)$/.exec(line) ?? [];
  if (!directive || !target)
    throw usageError(`The directive at ${place} is neither !include nor !includedir.`);
  if (depth >= MAX_INCLUDE_DEPTH)
    throw usageError(`The option files at ${place} include each other too deeply.`);
  if (directive === 'include') return [target];
  const names = await readdir(target).catch((cause: NodeJS.ErrnoException) => {
    throw cannotBeRead(`The directory ${target} (${place})`, cause);
  });
  return names
    .filter((name) => name.endsWith('.cnf'))
    .sort()
    .map((name) => join(target, name));
}

function readOption(line: string): Pick<OptionLine, 'key' | 'value'> {
  const text = withoutEndComment(line);
  const equals = text.indexOf('=');
  const key = (equals < 0 ? text : text.slice(0, equals)).trim().replaceAll('_', '-');
  return withoutPrefix(key, equals < 0 ? null : unquote(text.slice(equals + 1).trim()));
}

/** `loose-x` is x, which may be unknown; `skip-x` and `disable-x` are x=0, `enable-x` is x=1. */
function withoutPrefix(key: string, value: string | null): Pick<OptionLine, 'key' | 'value'> {
  const [, prefix, rest] = /^(loose|skip|disable|enable)-(.+)$/.exec(key) ?? [];
  if (prefix === undefined) return {key, value};
  if (prefix === 'loose') return withoutPrefix(rest!, value);
  return {key: rest!, value: prefix === 'enable' ? '1' : '0'};
}

/** A `#` outside quotes starts a comment, also in the middle of a line. */
function withoutEndComment(line: string): string {
  let quote = '';
  let escaped = false;
  for (const [index, character] of [...line].entries()) {
    if ((character === '"' || character === "'") && !escaped) {
      if (quote === '') quote = character;
      else if (quote === character) quote = '';
    }
    if (quote === '' && character === '#') return [...line].slice(0, index).join('').trim();
    escaped = quote !== '' && character === '\\' && !escaped;
  }
  return line;
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  r: '\r',
  s: ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

function unquote(value: string): string {
  const inner = /^(["'])(.+)\1$/s.exec(value)?.[2] ?? (/^(""|'')$/.test(value) ? '' : value);
  return inner.replace(/\\(.)/gs, (whole, character: string) => ESCAPES[character] ?? whole);
}
