import {readFile} from 'node:fs/promises';
import type {SslOptions} from 'mysql2';
import {usageError} from '../errors.ts';
import type {DatabaseConfig} from './database.ts';

/**
 * The driver's TLS options for a mode; undefined where the connection stays in the clear. Without a CA file the
 * certificate is checked against the authorities that Node knows.
 * @throws AtomctlError USAGE where the CA file cannot be read
 */
export async function tlsOptions({mode, caFile}: DatabaseConfig['tls']): Promise<SslOptions | undefined> {
  if (mode === 'off') return undefined;
  return {
    ca: caFile === null ? undefined : await readCertificates(caFile),
    rejectUnauthorized: mode !== 'required',
    verifyIdentity: mode === 'verify-identity',
  };
}

async function readCertificates(caFile: string): Promise<string> {
  try {
    return await readFile(caFile, 'utf8');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    throw usageError(
      `The CA file "${caFile}" for the database cannot be read (${code}).`,
      'Give sslCa the path of a PEM file that this user may read.',
    );
  }
}
