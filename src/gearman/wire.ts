import {connect, type Socket} from 'node:net';
import type {AtomctlError} from '../errors.ts';
import {hostsToTry, type ServerAddress} from './address.ts';
import {
  closedByPeer,
  MAX_PACKET_MIB,
  networkFailure,
  replyFailure,
  timedOut,
  tooLarge,
  unexpectedBytes,
} from './failure.ts';

/** A list of a hundred thousand queued jobs has about 3 MB. */
export const MAX_TEXT_BYTES = 4 * 1024 * 1024;

/**
 * Packets may hold payloads, of which a hundred are taken at once. AtoM's are the parameters of a job: a kilobyte, a
 * hundred if a user has selected thousands of objects.
 */
export const MAX_PACKET_BYTES = MAX_PACKET_MIB * 1024 * 1024;

/**
 * Reads all bytes of a reply that have arrived so far: the result if the reply is complete, otherwise undefined.
 * Throws NotGearman or Refusal (see failure.ts).
 */
export type Framing<T> = (bytes: Buffer) => T | undefined;

/** What is sent, and how the reply is read. */
export interface Exchange<T> {
  request: string | Buffer;
  /** Its name, for errors. */
  command: string;
  framing: Framing<T>;
  /** A larger reply is an error. */
  limitBytes: number;
}

interface PendingReply {
  command: string;
  limitBytes: number;
  read: (bytes: Buffer) => boolean;
  fail: (error: unknown) => void;
}

/**
 * One connection to a Gearman server, which sends one request at a time. Every reply has a deadline and a size limit.
 * After any failure the wire is closed for good, because the end of the reply is then unknown.
 */
export class Wire {
  readonly #address: ServerAddress;
  readonly #socket: Socket;
  readonly #timeoutSeconds: number;
  readonly #inbox = new Inbox();
  #pending: PendingReply | undefined;
  #broken: unknown;
  #lastTurn: Promise<unknown> = Promise.resolve();

  private constructor(address: ServerAddress, socket: Socket, timeoutSeconds: number) {
    this.#address = address;
    this.#socket = socket;
    this.#timeoutSeconds = timeoutSeconds;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#break(this.#closedByPeer()));
    socket.on('close', () => this.#break(this.#closedByPeer()));
    socket.on('error', (error) => this.#break(networkFailure(address, error)));
  }

  /**
   * Connects, trying both address families for `localhost`.
   * @throws AtomctlError GEARMAN_UNREACHABLE or GEARMAN_TIMEOUT
   */
  static async open(address: ServerAddress, timeoutSeconds: number): Promise<Wire> {
    const deadline = Date.now() + timeoutSeconds * 1000;
    let firstError: AtomctlError | undefined;
    for (const host of hostsToTry(address.host)) {
      try {
        const socket = await openSocket(host, address, timeoutSeconds, deadline);
        return new Wire(address, socket, timeoutSeconds);
      } catch (error) {
        firstError ??= error as AtomctlError;
      }
    }
    throw firstError;
  }

  /**
   * Sends a request and resolves to what `framing` reads from the reply. Calls may overlap: they are executed in
   * order.
   * @throws AtomctlError GEARMAN_TIMEOUT, GEARMAN_PROTOCOL or GEARMAN_UNREACHABLE
   */
  exchange<T>(exchange: Exchange<T>): Promise<T> {
    const turn = this.#lastTurn.then(() => this.#ask(exchange));
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** True after any failure: this wire cannot be used any more. */
  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Ends the connection. A request that is still open fails. */
  close(): void {
    this.#break(closedByPeer(this.#address, null, false));
  }

  #ask<T>({request, command, framing, limitBytes}: Exchange<T>): Promise<T> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => this.#break(timedOut(this.#address, command, this.#timeoutSeconds)),
        this.#timeoutSeconds * 1000,
      );
      this.#pending = {
        command,
        limitBytes,
        read: (bytes) => {
          const answer = framing(bytes);
          if (answer === undefined) return false;
          clearTimeout(timer);
          resolve(answer);
          return true;
        },
        fail: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#socket.write(request);
    });
  }

  #receive(chunk: Buffer): void {
    const pending = this.#pending;
    if (!pending) {
      this.#break(unexpectedBytes(this.#address));
      return;
    }
    if (this.#inbox.bytes.length + chunk.length > pending.limitBytes) {
      this.#break(tooLarge(this.#address, pending.command, pending.limitBytes));
      return;
    }
    this.#inbox.append(chunk);
    try {
      if (!pending.read(this.#inbox.bytes)) return;
      this.#pending = undefined;
      this.#inbox.clear();
    } catch (error) {
      this.#break(replyFailure(this.#address, pending.command, error));
    }
  }

  #closedByPeer(): AtomctlError {
    return closedByPeer(this.#address, this.#pending?.command ?? null, this.#inbox.bytes.length > 0);
  }

  #break(error: unknown): void {
    if (this.#broken) return;
    this.#broken = error;
    this.#socket.destroy();
    this.#pending?.fail(error);
    this.#pending = undefined;
  }
}

function openSocket(
  host: string,
  address: ServerAddress,
  timeoutSeconds: number,
  deadline: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const leftMs = Math.max(1, deadline - Date.now());
    // By default Node gives each address of a host 250 ms, which is too short for a distant server.
    const socket = connect({
      host,
      port: address.port,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: Math.max(250, Math.ceil(leftMs / 2)),
    });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(timedOut(address, null, timeoutSeconds));
    }, leftMs);
    const onError = (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(networkFailure(address, error));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** The bytes of one reply as they arrive: grows by doubling, so that a long list takes linear time. */
export class Inbox {
  #space = Buffer.allocUnsafe(16 * 1024);
  #length = 0;

  /** All bytes so far, without a copy; valid until the next change. */
  get bytes(): Buffer {
    return this.#space.subarray(0, this.#length);
  }

  append(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#space.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#space.length));
      this.bytes.copy(larger);
      this.#space = larger;
    }
    chunk.copy(this.#space, this.#length);
    this.#length = needed;
  }

  clear(): void {
    this.#length = 0;
  }
}
