/** How long a statement waits for another session's lock, in seconds, before it is given up and tried again. */
const LOCK_WAIT_SECONDS = 5;

/**
 * What every session is set to, whatever the server's own settings, in one statement and so one round trip.
 *
 * Isolation is REPEATABLE READ, the servers' default: READ COMMITTED cannot write where the binary log is
 * statement-based. The variable's name differs, and each server runs only the comment that is meant for it.
 *
 * MySQL would hash AtoM's few users in memory and then sort the whole history, notes and all, before it sends the
 * first row. Told to look each of them up by its key, it reads jobs in their order and sends as it reads.
 */
const SETTINGS = [
  // Literals compare by code point, and any character can be stored and read back.
  'NAMES utf8mb4 COLLATE utf8mb4_bin',
  // Backslash escapes work (values are quoted with them), `"` quotes text, and nothing is silently cut on writing.
  "sql_mode = 'STRICT_ALL_TABLES'",
  "time_zone = '+00:00'",
  "lc_time_names = 'en_US'",
  'default_week_format = 0',
  'div_precision_increment = 4',
  // MariaDB's ceiling; more than AtoM's notes on one job can come to.
  `group_concat_max_len = ${2 ** 30}`,
  'sql_select_limit = 18446744073709551615',
  'sql_big_selects = 1',
  'sql_auto_is_null = 0',
  'sql_safe_updates = 0',
  // Deleting an object must take its job and notes along, and a statement of its own must be committed.
  'foreign_key_checks = 1',
  'unique_checks = 1',
  'autocommit = 1',
  `innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
  `lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
  // A day for whoever reads an export slowly, eight hours at a prompt or under --watch.
  'net_write_timeout = 86400',
  'wait_timeout = 28800',
];

export const SET_SESSION = `SET ${SETTINGS.join(', ')}
  /*!80000 , transaction_isolation = 'REPEATABLE-READ', optimizer_switch = 'block_nested_loop=off' */
  /*M!100500 , tx_isolation = 'REPEATABLE-READ' */`;
