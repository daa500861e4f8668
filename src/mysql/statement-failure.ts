import {type Explain, quotedName, refusedStatement} from './explained-failure.ts';
import {missingColumn, missingTable} from './schema.ts';

/** The explanation of a connection that broke: the server may have executed the last statement, or not. */
export const lostConnection: Explain = ({place}) => [
  'DATABASE_LOST',
  `The connection to the MySQL server at ${place} was lost.`,
  'Check if the last change was made, before you run the command again.',
];

const busy: Explain = ({config}) => [
  'DATABASE_BUSY',
  `Other sessions did not release their locks in database "${config.database}" in time.`,
  'Try again later. SHOW PROCESSLIST shows a database administrator which sessions have locks.',
];

const tooLong: Explain = ({place}) => [
  'DATABASE_TIMEOUT',
  `The MySQL server at ${place} ended a statement that exceeded its time limit.`,
  'Use a narrower filter, or ask a database administrator to increase max_statement_time or max_execution_time.',
];

const readOnly: Explain = ({place}) => [
  'DATABASE_ERROR',
  `The MySQL server at ${place} is read-only.`,
  'Give the primary server, not a replica.',
];

const BY_ERRNO: Record<number, Explain> = {
  1044: missingPrivilege,
  1142: missingPrivilege,
  1143: missingPrivilege,
  1227: missingPrivilege,
  1146: ({detail, config}) => missingTable(detail, config.database),
  1054: ({detail, config}) => missingColumn(detail, config.database),
  // MariaDB 11.6 and later reports with 1020 that another transaction was faster.
  1020: busy,
  1205: busy,
  1213: busy,
  1317: ({place}) => [
    'DATABASE_ERROR',
    `The statement was ended on the MySQL server at ${place} (KILL QUERY).`,
    'Run the command again, or ask the database administrator for the reason.',
  ],
  1969: tooLong,
  3024: tooLong,
  1053: lostConnection,
  1079: lostConnection,
  1927: lostConnection,
  4031: lostConnection,
  1290: readOnly,
  1792: readOnly,
  1836: readOnly,
  // The server's message quotes the statement, which must not be shown.
  1064: (facts) => refusedStatement({...facts, detail: 'it does not understand a statement'}),
};

/** The explanation of an error packet in answer to a statement. */
export function explainRefusedStatement(errno: number): Explain {
  return BY_ERRNO[errno] ?? refusedStatement;
}

/** `SELECT command denied to user 'atom'@'web1' for column 'output' in table 'job'`; the table may be qualified. */
const DENIED = /^([A-Z ,]+) command denied to user .* for (?:column \S+ in )?table (\S+)$/;

function missingPrivilege({detail, config, account}: Parameters<Explain>[0]): ReturnType<Explain> {
  const grantee = account === null ? `"${config.user}"` : accountName(account);
  const [, privilege, path] = DENIED.exec(detail) ?? [];
  if (privilege === undefined || path === undefined) {
    return [
      'DATABASE_PRIVILEGE',
      `The database user "${config.user}" lacks a privilege: ${detail}.`,
      `Ask a database administrator to grant it to ${grantee}.`,
    ];
  }
  const table = path.replace(/[`'"]/g, '').split('.').at(-1)!;
  return [
    'DATABASE_PRIVILEGE',
    `The database user "${config.user}" lacks ${privilege} on table "${table}" of database "${config.database}".`,
    `Ask a database administrator to run: GRANT ${privilege} ON ${quotedName(config.database)}.${quotedName(table)} TO ${grantee};`,
  ];
}

/** `atom@%` as a GRANT needs it: `'atom'@'%'`. */
function accountName(account: string): string {
  const at = account.lastIndexOf('@');
  return [account.slice(0, at), account.slice(at + 1)]
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join('@');
}
