/** An error packet from the server: it is alive and says no. Errors of Node's own have a negative errno, or none. */
export interface ServerError extends Error {
  /** MySQL's number, the same for MariaDB: 1045, 1142, ... */
  errno: number;
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'sqlState' in error && 'errno' in error && Number(error.errno) > 0;
}

/** True where the server says that the account lacks a privilege, on a table, a column, a database or at large. */
export function isPrivilegeError(error: unknown): error is ServerError {
  return isServerError(error) && [1044, 1142, 1143, 1227].includes(error.errno);
}
