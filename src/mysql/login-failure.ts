import {unresolvedHint} from '../service-name.ts';
import {type Explain, quotedName, refusedStatement} from './explained-failure.ts';
import {PASSWORD_KEPT} from './login.ts';

const CHECK_SERVER = 'Check that the database server runs, and its host and port (atomctl config).';
const CHECK_ACCOUNT = 'Ask a database administrator to check the account.';

const refusedLogin: Explain = ({config, place}) => [
  'DATABASE_LOGIN_REFUSED',
  `The MySQL server at ${place} refused the login of "${config.user}" ${config.password.isEmpty ? 'without' : 'with'} a password.`,
  `Check the user and the password (atomctl config), and the hosts from which the account may log in${config.tls.mode === 'off' ? '; some accounts require TLS (?ssl=required)' : ''}.`,
];

const lockedAccount: Explain = ({config, place}) => [
  'DATABASE_LOGIN_REFUSED',
  `The account of "${config.user}" on the MySQL server at ${place} is locked, or its password has expired.`,
  CHECK_ACCOUNT,
];

const unknownMethod: Explain = ({config, place}) => [
  'DATABASE_LOGIN_REFUSED',
  `The MySQL server at ${place} uses a login method for "${config.user}" that atomctl does not support.`,
  'Use an account with caching_sha2_password or mysql_native_password.',
];

/** A server's own key proves nothing: whoever is at its address may send one. */
const passwordKept: Explain = ({config, place}) => [
  'DATABASE_LOGIN_REFUSED',
  `The MySQL server at ${place} asks for the password of "${config.user}" without TLS, so ${PASSWORD_KEPT}.`,
  'Use TLS (?ssl=verify-identity&sslCa=FILE, or ?ssl=required), or set server-public-key-path to the public key of the server in a --defaults-file.',
];

const full: Explain = ({place}) => [
  'DATABASE_UNREACHABLE',
  `The MySQL server at ${place} has too many connections.`,
  'Try again in a moment. SHOW PROCESSLIST shows a database administrator which connections are open.',
];

function checkHost(host: string | null): string {
  const published = '--database-url mysql://USER@127.0.0.1:PORT/DATABASE';
  const check = 'Check its spelling (atomctl config) and the name servers of this machine.';
  return unresolvedHint(host ?? '', {published, check});
}

/** Codes of Node and of the driver, before a session exists. */
const BY_CODE: Record<string, Explain> = {
  ECONNREFUSED: ({place}) => [
    'DATABASE_UNREACHABLE',
    `No MySQL server listens at ${place}: connection refused.`,
    CHECK_SERVER,
  ],
  ENOENT: ({place}) => [
    'DATABASE_UNREACHABLE',
    `There is no MySQL socket at ${place}.`,
    'Check that the server runs on this machine, or name its host or socket with --database-url.',
  ],
  EACCES: ({place}) => [
    'DATABASE_UNREACHABLE',
    `Permission denied for the MySQL socket at ${place}.`,
    'Run atomctl as a user with access to it, or connect with host and port.',
  ],
  ENOTFOUND: ({config}) => [
    'DATABASE_UNREACHABLE',
    `The database host "${config.host}" has no address.`,
    checkHost(config.host),
  ],
  EAI_AGAIN: ({config}) => [
    'DATABASE_UNREACHABLE',
    `The name servers did not answer for the database host "${config.host}".`,
    checkHost(config.host),
  ],
  PROTOCOL_CONNECTION_LOST: ({place}) => [
    'DATABASE_UNREACHABLE',
    `The server at ${place} closed the connection before the login was complete.`,
    CHECK_SERVER,
  ],
  HANDSHAKE_NO_SSL_SUPPORT: ({place}) => [
    'DATABASE_UNREACHABLE',
    `The MySQL server at ${place} does not support TLS.`,
    'Set ssl_cert and ssl_key on the server, or remove ssl from the database URL.',
  ],
  HANDSHAKE_SSL_ERROR: ({place, detail}) => [
    'DATABASE_UNREACHABLE',
    `TLS with the MySQL server at ${place} failed: ${detail}.`,
    'Check ssl and sslCa in the database URL, and the certificate of the server.',
  ],
  AUTH_SWITCH_PLUGIN_ERROR: (facts) =>
    facts.detail.includes(PASSWORD_KEPT) ? passwordKept(facts) : unknownMethod(facts),
  MYSQL_CLEAR_PASSWORD_NOT_ENABLED: unknownMethod,
};

const BY_ERRNO: Record<number, Explain> = {
  1040: full,
  1203: full,
  1226: full,
  // The server does not say whether the database exists to a user without any privilege on it.
  1044: ({config, place}) => [
    'DATABASE_LOGIN_REFUSED',
    `The MySQL server at ${place} has no database "${config.database}" for the user "${config.user}".`,
    `Check its name (atomctl config), or ask for a grant of SELECT ON ${quotedName(config.database)}.* to the user.`,
  ],
  1045: refusedLogin,
  1698: refusedLogin,
  1049: ({config, place}) => [
    'DATABASE_UNKNOWN',
    `There is no database "${config.database}" on the MySQL server at ${place}.`,
    'Check its name (atomctl config).',
  ],
  1129: ({place}) => [
    'DATABASE_UNREACHABLE',
    `The MySQL server at ${place} blocks this host after too many failed connections.`,
    'Ask a database administrator to run FLUSH HOSTS.',
  ],
  1130: ({place}) => [
    'DATABASE_LOGIN_REFUSED',
    `The MySQL server at ${place} does not accept logins from this host.`,
    CHECK_ACCOUNT,
  ],
  1251: unknownMethod,
  1820: lockedAccount,
  1862: lockedAccount,
  3118: lockedAccount,
  4151: lockedAccount,
  3159: ({place}) => [
    'DATABASE_LOGIN_REFUSED',
    `The MySQL server at ${place} accepts logins only over TLS.`,
    'Add ?ssl=required to the database URL.',
  ],
};

/** The explanation of an error packet in answer to a login. */
export function explainRefusedLogin(errno: number): Explain {
  return BY_ERRNO[errno] ?? refusedStatement;
}

/** The explanation of any other failure to open a session. */
export const explainBrokenLogin: Explain = (facts) => {
  // The driver has no code for it, only a message.
  if (facts.detail.includes('unknown plugin')) return unknownMethod(facts);
  return BY_CODE[facts.code]?.(facts) ?? unreachable(facts);
};

function unreachable({place, detail}: Parameters<Explain>[0]): ReturnType<Explain> {
  return ['DATABASE_UNREACHABLE', `The MySQL server at ${place} cannot be reached: ${detail}.`, CHECK_SERVER];
}
