import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {type Cut, cutGearman, cutMysql, gearmanPackets, type Server} from './messages.ts';

/** One message of a command: the nth of its name. */
export interface Step {
  server: Server;
  name: string;
  nth: number;
}

/** A message that stops on its way: to its server, or its answer on the way back. */
export interface Moment {
  step: Step;
  at: 'request' | 'reply';
}

/** Looks at each message while it waits. False: it goes no further. */
export type Watch = (moment: Moment) => Promise<boolean>;

/** Ways to a MySQL and to a Gearman server on which each message can be stopped. */
export interface WatchedServers {
  mysqlPort: number;
  gearmanPort: number;
  /** Counts the messages from one again, and shows each to `watch`. */
  watch(watch: Watch): void;
  /** The functions of which the client holds jobs now. */
  held(): Set<string>;
  /** Resets every connection to the server; new ones can be made. */
  lose(server: Server): void;
  close(): Promise<void>;
}

interface Way {
  port: number;
  lose(): void;
  close(): Promise<void>;
}

export async function watchServers(ports: {mysql: number; gearman: number}): Promise<WatchedServers> {
  let counts = new Map<string, number>();
  let watch: Watch = async () => true;
  const held = new Map<Socket, Map<string, string>>();

  function count(server: Server, name: string): Step {
    const key = `${server} ${name}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    return {server, name, nth};
  }

  async function open(server: Server, port: number, cut: (bytes: Buffer) => Cut): Promise<Way> {
    const sockets = new Map<Socket, Socket>();
    const listener = createServer((client) => {
      const upstream = connect(port, '127.0.0.1');
      sockets.set(client, upstream);
      for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', () => {});
      upstream.on('close', () => client.destroy());
      client.on('close', () => {
        upstream.destroy();
        sockets.delete(client);
        held.delete(client);
      });
      let unanswered: Step | null = null;
      let isWorkers: boolean | null = null;
      let unread: Buffer = Buffer.alloc(0);
      let answer: Buffer = Buffer.alloc(0);
      inTurn(client, async (chunk) => {
        isWorkers ??= server === 'Gearman' && isOfWorker(chunk);
        if (isWorkers) {
          sockets.delete(client);
          upstream.write(chunk);
          return;
        }
        const {messages, rest} = cut(Buffer.concat([unread, chunk]));
        unread = rest;
        for (const {name, bytes} of messages) {
          if (name !== '') {
            const step = count(server, name);
            if (!(await watch({step, at: 'request'})) || client.destroyed) return;
            unanswered = step;
          }
          if (server === 'Gearman') letGo(held.get(client), bytes);
          answer = Buffer.alloc(0);
          upstream.write(bytes);
        }
      });
      inTurn(upstream, async (chunk) => {
        if (isWorkers === true) {
          client.write(chunk);
          return;
        }
        if (server === 'Gearman') {
          answer = Buffer.concat([answer, chunk]);
          const jobs = held.get(client) ?? new Map<string, string>();
          held.set(client, take(jobs, answer));
        }
        const step = unanswered;
        unanswered = null;
        if (step !== null && !(await watch({step, at: 'reply'}))) return;
        if (!client.destroyed) client.write(chunk);
      });
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const lose = () => {
      for (const [client, upstream] of sockets) {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    };
    return {
      port: (listener.address() as AddressInfo).port,
      lose,
      close: async () => {
        lose();
        await once(listener.close(), 'close');
      },
    };
  }

  const ways = {
    MySQL: await open('MySQL', ports.mysql, cutMysql),
    Gearman: await open('Gearman', ports.gearman, cutGearman),
  };
  return {
    mysqlPort: ways.MySQL.port,
    gearmanPort: ways.Gearman.port,
    watch: (next) => {
      counts = new Map();
      watch = next;
    },
    held: () => new Set([...held.values()].flatMap((jobs) => [...jobs.values()])),
    lose: (server) => ways[server].lose(),
    close: async () => {
      await Promise.all([ways.MySQL.close(), ways.Gearman.close()]);
    },
  };
}

/** A worker of AtoM begins with its abilities or with its id; what it says is no step of a command. */
function isOfWorker(bytes: Buffer): boolean {
  const [first] = gearmanPackets(bytes).packets;
  return first?.type === CAN_DO || (first?.type === SET_CLIENT_ID && first.fields[0]!.startsWith('pid_'));
}

const CAN_DO = 1;
const SET_CLIENT_ID = 22;

/** Handles what arrives piece by piece, each after the last. */
function inTurn(socket: Socket, handle: (chunk: Buffer) => Promise<void>): void {
  let last = Promise.resolve();
  socket.on('data', (chunk: Buffer) => {
    last = last.then(() => handle(chunk));
  });
}

const JOB_ASSIGN_UNIQ = 31;
const ENDS = new Set([13, 14]);
const RESET_ABILITIES = 3;

/** The jobs of a connection, by handle, with those that an answer assigns to it. */
function take(jobs: Map<string, string>, answer: Buffer): Map<string, string> {
  for (const {type, fields} of gearmanPackets(answer).packets)
    if (type === JOB_ASSIGN_UNIQ) jobs.set(fields[0]!, fields[1]!);
  return jobs;
}

/** Without those that a request ends or gives back. */
function letGo(jobs: Map<string, string> | undefined, request: Buffer): void {
  for (const {type, fields} of gearmanPackets(request).packets) {
    if (type === RESET_ABILITIES) jobs?.clear();
    if (ENDS.has(type)) jobs?.delete(fields[0]!);
  }
}
