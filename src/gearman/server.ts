import {AtomctlError} from '../errors.ts';
import type {ServerAddress} from './address.ts';
import * as admin from './admin-protocol.ts';
import {NotGearman, replyFailure} from './failure.ts';
import {endWithEcho, PACKET, type Packet, request, splitArguments} from './packet.ts';
import {type Exchange, MAX_TEXT_BYTES, Wire} from './wire.ts';

export type {
  Connection,
  FunctionStatus,
  Priority,
  PriorityStatus,
  QueuedJob,
  ServerVersion,
} from './admin-protocol.ts';

/** Whether a server has a job, and whether a worker is running it. */
export interface JobPresence {
  known: boolean;
  running: boolean;
}

/**
 * One Gearman server. Every request ends within the timeout or rejects with AtomctlError: GEARMAN_TIMEOUT,
 * GEARMAN_UNREACHABLE, or GEARMAN_PROTOCOL if the peer is not a Gearman server or does not know the command. After a
 * failed request the next one may succeed.
 */
export interface GearmanServer {
  readonly address: ServerAddress;
  /** How many lines of its latest lists were not as Gearman writes them, and were left out. */
  readonly skippedLines: number;
  version(): Promise<admin.ServerVersion>;
  /** One row for each function, `running` within 0 and `total`. */
  status(): Promise<admin.FunctionStatus[]>;
  /** How many jobs wait by priority, or GEARMAN_PROTOCOL: gearmand only, since 1.1.15. */
  priorities(): Promise<admin.PriorityStatus[]>;
  /** Every connection, also atomctl's own. */
  connections(): Promise<admin.Connection[]>;
  /** Every job without its function or key. gearmand only. */
  jobs(): Promise<admin.QueuedJob[]>;
  /** The unique keys of all jobs. gearmand only. */
  uniqueKeys(): Promise<string[]>;
  /** Marks a job so that it is never handed out again; false if the server does not know it. gearmand only. */
  cancel(handle: string): Promise<boolean>;
  /** In the order of the keys. gearmand only. */
  statusOfUniqueKeys(keys: readonly string[]): Promise<JobPresence[]>;
  /** In the order of the handles. */
  statusOfHandles(handles: readonly string[]): Promise<JobPresence[]>;
  /**
   * The handle of the job that has this function and key. Ask for the key first: it submits a job with them, due two
   * seconds later and with a payload that names no row. gearmand creates no second job under a key: it answers with the
   * handle of the one it has. If that job has just gone, the answer is the handle of the new one, which no worker gets
   * if it is cancelled at once. gearmand only.
   */
  handleOf(job: {function: string; unique: string}): Promise<string>;
  /**
   * Submits a background job and resolves to its handle; of normal priority, as AtoM does, unless another is given. A server
   * that has a job of this function and key creates none: it answers with the handle of that one. If it rejects, the job may
   * have been created.
   */
  submitBackground(job: BackgroundJob): Promise<string>;
  /** Forgets a function and its waiting jobs; false if it is unknown or has workers. gearmand only. */
  dropFunction(name: string): Promise<boolean>;
  /** Ends the connections; a request that is still open rejects. */
  close(): void;
}

export interface BackgroundJob {
  function: string;
  unique: string;
  payload: string | Buffer;
  priority?: admin.Priority;
}

export interface GearmanTimeouts {
  /** Timeout for each connection and each reply. */
  timeoutSeconds: number;
}

/** The outcome of one address of several. */
export type ServerConnection =
  | {address: ServerAddress; server: GearmanServer}
  | {address: ServerAddress; error: AtomctlError};

/**
 * Connects to a Gearman server. Whether it is one is known after the first request.
 * @throws AtomctlError GEARMAN_UNREACHABLE or GEARMAN_TIMEOUT
 */
export async function connectServer(
  address: ServerAddress,
  {timeoutSeconds}: GearmanTimeouts,
): Promise<GearmanServer> {
  const server = new WireServer(address, timeoutSeconds);
  await server.open();
  return server;
}

/** A connection that is opened at its first use, and again after it broke. */
class ReopeningWire {
  readonly #open: () => Promise<Wire>;
  #wire: Wire | undefined;
  #opening: Promise<Wire> | undefined;
  #closed = false;

  constructor(open: () => Promise<Wire>) {
    this.#open = open;
  }

  async wire(): Promise<Wire> {
    if (this.#wire && (this.#closed || !this.#wire.broken)) return this.#wire;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    this.#wire = await this.#opening;
    if (this.#closed) this.#wire.close();
    return this.#wire;
  }

  async exchange<T>(exchange: Exchange<T>): Promise<T> {
    return (await this.wire()).exchange(exchange);
  }

  close(): void {
    this.#closed = true;
    this.#wire?.close();
  }
}

/** A job that is submitted only to learn a handle: when it would be due, and its payload. */
const DUE_SECONDS = 2;
const NO_ROW = '{}';

const SUBMIT_BY_PRIORITY = {
  high: PACKET.SUBMIT_JOB_HIGH_BG,
  normal: PACKET.SUBMIT_JOB_BG,
  low: PACKET.SUBMIT_JOB_LOW_BG,
} as const;

class WireServer implements GearmanServer {
  readonly address: ServerAddress;
  readonly #admin: ReopeningWire;
  readonly #binary: ReopeningWire;
  /** By command. */
  readonly #skipped = new Map<string, number>();

  constructor(address: ServerAddress, timeoutSeconds: number) {
    this.address = address;
    this.#admin = new ReopeningWire(() => Wire.open(address, timeoutSeconds));
    this.#binary = new ReopeningWire(() => Wire.open(address, timeoutSeconds));
  }

  async open(): Promise<void> {
    await this.#admin.wire();
  }

  version = () => this.#run(admin.version);
  status = () => this.#run(admin.status);
  priorities = () => this.#run(admin.priorityStatus);
  connections = () => this.#run(admin.workers);
  jobs = () => this.#run(admin.showJobs);
  uniqueKeys = () => this.#run(admin.showUniqueJobs);
  cancel = (handle: string) => this.#run(admin.cancelJob(handle));
  dropFunction = (name: string) => this.#run(admin.dropFunction(name));

  statusOfUniqueKeys = (keys: readonly string[]) =>
    this.#presence(PACKET.GET_STATUS_UNIQUE, PACKET.STATUS_RES_UNIQUE, 'GET_STATUS_UNIQUE', keys);

  statusOfHandles = (handles: readonly string[]) =>
    this.#presence(PACKET.GET_STATUS, PACKET.STATUS_RES, 'GET_STATUS', handles);

  handleOf({function: name, unique}: {function: string; unique: string}): Promise<string> {
    const due = String(Math.floor(Date.now() / 1000) + DUE_SECONDS);
    const submit = request(PACKET.SUBMIT_JOB_EPOCH, name, unique, due, NO_ROW);
    return this.#created(submit, 'SUBMIT_JOB_EPOCH');
  }

  submitBackground = ({function: name, unique, payload, priority = 'normal'}: BackgroundJob) =>
    this.#created(request(SUBMIT_BY_PRIORITY[priority], name, unique, payload), 'SUBMIT_JOB_BG');

  async #created(submit: Buffer, command: string): Promise<string> {
    const packets = await this.#binary.exchange(endWithEcho([submit], command));
    const created = packets.find(({type}) => type === PACKET.JOB_CREATED);
    if (created) return splitArguments(created.data, 1)[0]!;
    throw replyFailure(this.address, command, new NotGearman('no handle'));
  }

  close(): void {
    this.#admin.close();
    this.#binary.close();
  }

  get skippedLines(): number {
    return [...this.#skipped.values()].reduce((sum, lines) => sum + lines, 0);
  }

  #run<T>({text, framing}: admin.AdminCommand<T>): Promise<T> {
    const onSkipped = (lines: number) => void this.#skipped.set(text, lines);
    return this.#admin.exchange({
      request: `${text}\n`,
      command: text,
      framing: (bytes) => framing(bytes, onSkipped),
      limitBytes: MAX_TEXT_BYTES,
    });
  }

  async #presence(
    requestType: number,
    replyType: number,
    command: string,
    names: readonly string[],
  ): Promise<JobPresence[]> {
    if (names.length === 0) return [];
    const requests = names.map((name) => request(requestType, name));
    const packets = await this.#binary.exchange(endWithEcho(requests, command));
    // By name, not by position: gearmand leaves a key that is too long unanswered.
    const found = new Map(packets.filter(({type}) => type === replyType).map(presenceByName));
    return names.map((name) => found.get(name) ?? {known: false, running: false});
  }
}

function presenceByName({data}: Packet): [string, JobPresence] {
  const [name, known, running] = splitArguments(data, 4);
  return [name!, {known: known === '1', running: running === '1'}];
}

/**
 * Connects to several servers at once; the result has the order of the addresses. A server that cannot be reached is
 * in the result with its error and does not affect the others.
 */
export function connectServers(
  addresses: readonly ServerAddress[],
  options: GearmanTimeouts,
): Promise<ServerConnection[]> {
  return Promise.all(
    addresses.map(async (address) => {
      try {
        return {address, server: await connectServer(address, options)};
      } catch (error) {
        if (error instanceof AtomctlError) return {address, error};
        throw error;
      }
    }),
  );
}
