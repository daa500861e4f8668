import {setTimeout as sleep} from 'node:timers/promises';
import {AtomctlError} from '../errors.ts';
import {hostCommands} from '../host-commands.ts';
import {unresolvedHint} from '../service-name.ts';
import {systemReason} from '../system-failure.ts';
import {formatAddress, type ServerAddress} from './address.ts';

/** Thrown by a parser for bytes that no Gearman server sends; the wire adds the server and the command. */
export class NotGearman extends Error {}

/** Thrown by a parser for a packet that is larger than atomctl reads: a job's payload may be. */
export class PacketTooLarge extends Error {}

/** Thrown by a parser if the server does not know the command or refuses it, with the server's error code. */
export class Refusal extends Error {}

/** Thrown by a parser for a list with more lines than atomctl reads. */
export class TooManyLines extends Error {}

/** The largest packet that atomctl reads, in MiB. */
export const MAX_PACKET_MIB = 16;

const PORT_HINT = 'Check that the address and the port are those of the Gearman server.';

function runningHint(): string {
  return `Check that the Gearman server runs and listens at this address: ${hostCommands().startGearmand}.`;
}

/** What a parser threw, as an error that names the server and the command. Other errors pass unchanged. */
export function replyFailure(address: ServerAddress, command: string, error: unknown): unknown {
  const server = formatAddress(address);
  if (error instanceof NotGearman) {
    return new AtomctlError(
      'GEARMAN_PROTOCOL',
      `The server at ${server} does not speak the Gearman protocol: its answer to "${command}" is not valid.`,
      {hint: PORT_HINT, cause: error},
    );
  }
  if (error instanceof PacketTooLarge) {
    return new AtomctlError(
      'GEARMAN_PROTOCOL',
      `The answer of ${server} to "${command}" is larger than the ${MAX_PACKET_MIB} MiB that atomctl reads: a waiting job has so large a payload.`,
      {hint: 'Let a worker take that job first.', cause: error},
    );
  }
  if (error instanceof TooManyLines) {
    return new AtomctlError(
      'GEARMAN_PROTOCOL',
      `The answer of ${server} to "${command}" has more lines than atomctl reads (${error.message}).`,
      {hint: PORT_HINT, cause: error},
    );
  }
  if (error instanceof Refusal) {
    const code = error.message.replaceAll(/[^\w ]/g, '') || 'no reason given';
    return new AtomctlError('GEARMAN_PROTOCOL', `Gearman server ${server} refused "${command}" (${code}).`, {
      hint: 'Some Gearman servers do not support all commands: atomctl needs gearmand, the server written in C.',
      cause: error,
    });
  }
  return error;
}

/** The peer sends bytes without a request: a greeting, or the rest of a reply that was already complete. */
export function unexpectedBytes(address: ServerAddress): AtomctlError {
  const server = formatAddress(address);
  return new AtomctlError(
    'GEARMAN_PROTOCOL',
    `The server at ${server} does not speak the Gearman protocol: it sent data without a request.`,
    {hint: PORT_HINT},
  );
}

/** The reply is larger than atomctl reads. */
export function tooLarge(address: ServerAddress, command: string, limitBytes: number): AtomctlError {
  const server = formatAddress(address);
  return new AtomctlError(
    'GEARMAN_PROTOCOL',
    `The answer of ${server} to "${command}" is larger than ${limitBytes / 1024 / 1024} MiB.`,
    {hint: PORT_HINT},
  );
}

/** No connection, or no complete reply, within the timeout. */
export function timedOut(address: ServerAddress, command: string | null, seconds: number): AtomctlError {
  const server = formatAddress(address);
  const what =
    command === null
      ? `No connection to Gearman server ${server}`
      : `Gearman server ${server} did not answer "${command}"`;
  return new AtomctlError('GEARMAN_TIMEOUT', `${what} within ${seconds} s.`, {
    hint: 'Check the address and the network, or increase --timeout.',
  });
}

/** The peer ended the connection: in the middle of a reply it is not Gearman, before one it went away. */
export function closedByPeer(
  address: ServerAddress,
  command: string | null,
  inAnswer: boolean,
): AtomctlError {
  const server = formatAddress(address);
  if (inAnswer) {
    return new AtomctlError(
      'GEARMAN_PROTOCOL',
      `The server at ${server} closed the connection in the middle of its answer to "${command}".`,
      {hint: PORT_HINT},
    );
  }
  return new AtomctlError('GEARMAN_UNREACHABLE', `Gearman server ${server} closed the connection.`, {
    hint: runningHint(),
  });
}

/** A failure of the network or the resolver, in one sentence. */
export function networkFailure(address: ServerAddress, cause: NodeJS.ErrnoException): AtomctlError {
  const server = formatAddress(address);
  if (cause.syscall === 'getaddrinfo') {
    return new AtomctlError(
      'GEARMAN_UNREACHABLE',
      `The host name of Gearman server ${server} cannot be resolved.`,
      {
        hint: unresolvedHint(address.host, {
          published: '--gearman 127.0.0.1:PORT',
          check: 'Check the name in --gearman, ATOMCTL_GEARMAN or gearman.yml.',
        }),
        cause,
      },
    );
  }
  return new AtomctlError(
    'GEARMAN_UNREACHABLE',
    `Gearman server ${server} cannot be reached: ${systemReason(cause)}.`,
    {hint: runningHint(), cause},
  );
}

/** What a lost connection comes to, also in the middle of an answer. A server that is only slow is not asked again. */
const CONNECTION_LOST: ReadonlySet<string> = new Set(['GEARMAN_UNREACHABLE', 'GEARMAN_PROTOCOL']);

/** Connections are often lost together; after so long it is known of each. */
const LOSS_MS = 50;

/** Does work once more if it fails with what may come from a lost connection: all of it can be done twice. */
export async function despiteLoss(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof AtomctlError) || !(await worthAnotherAttempt([error]))) throw error;
    await work();
  }
}

/** Whether one of the errors may come from a lost connection, so that a second attempt on new ones makes sense at once. */
export async function worthAnotherAttempt(errors: readonly AtomctlError[]): Promise<boolean> {
  if (!errors.some(({code}) => CONNECTION_LOST.has(code))) return false;
  await sleep(LOSS_MS);
  return true;
}
