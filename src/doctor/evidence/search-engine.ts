import type {IncomingMessage, RequestOptions} from 'node:http';
import type {SearchServer} from '../../atom/search-servers.ts';
import {systemReason} from '../../system-failure.ts';

/** What a search server says of itself. */
export type SearchAnswer =
  | {answers: true; version: string | null}
  /** Why not, as a clause. */
  | {answers: false; reason: string; unresolved: boolean};

/** Elasticsearch greets with half a KiB. */
const MOST_BYTES = 64 * 1024;
const MOST_HEADER_BYTES = 16 * 1024;
const VERSION = /^\d[\w.+-]{0,30}$/;

/**
 * Asks a search server for its greeting, within the timeout, without a password and without following it anywhere else. Nothing of
 * the answer is returned but a version that looks like one.
 */
export async function askSearchServer(
  {host, port, tls}: SearchServer,
  timeoutSeconds: number,
): Promise<SearchAnswer> {
  const {request} = await (tls ? import('node:https') : import('node:http'));
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const options: RequestOptions = {
    ...{host, port, path: '/', agent: false, maxHeaderSize: MOST_HEADER_BYTES},
    headers: {accept: 'application/json', connection: 'close'},
    signal,
  };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // Nothing secret is sent, and AtoM's PHP has authorities of its own: any certificate will do.
      request({...options, ...(tls && {rejectUnauthorized: false})}, resolve)
        .on('error', reject)
        .end();
    });
    return await readAnswer(response);
  } catch (error) {
    // The end of the time looks like a broken connection, too.
    if (signal.aborted) return fault(`no answer within ${timeoutSeconds} s`);
    return notAnswering(error);
  }
}

async function readAnswer(response: IncomingMessage): Promise<SearchAnswer> {
  const {statusCode = 0} = response;
  const body = await readBody(response);
  // It is there; what it asks for is in AtoM's configuration.
  if (statusCode === 401 || statusCode === 403) return {answers: true, version: null};
  if (statusCode !== 200) return fault(`it answers with HTTP status ${statusCode}`);
  const version = versionIn(body);
  return version === null ? fault('what answers there is not Elasticsearch') : {answers: true, version};
}

/** @throws if the connection breaks or the time is over */
async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > MOST_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function versionIn(body: string): string | null {
  try {
    const number = (JSON.parse(body) as {version?: {number?: unknown}} | null)?.version?.number;
    return typeof number === 'string' && VERSION.test(number) ? number : null;
  } catch {
    return null;
  }
}

function notAnswering(error: unknown): SearchAnswer {
  const {code = '', syscall} = error as NodeJS.ErrnoException;
  if (code.startsWith('HPE_')) return fault('what answers there does not speak HTTP');
  return {...fault(systemReason(error)), unresolved: syscall === 'getaddrinfo'};
}

function fault(reason: string): {answers: false; reason: string; unresolved: boolean} {
  return {answers: false, reason, unresolved: false};
}
