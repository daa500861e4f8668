import {EventEmitter, once} from 'node:events';
import {createServer, type Server, type Socket} from 'node:net';
import {createInterface} from 'node:readline';

/** Where the workers and imports of the sandbox say where they stand and wait for the next step (test/support/php/steps.php). */
export class StepSocket {
  private readonly places = new Map<number, {place: string | null; socket: Socket}>();
  private readonly server: Server;
  /** By process id, emitted when it waits at a new place. */
  readonly arrivals = new EventEmitter();

  private constructor(readonly path: string) {
    this.server = createServer((socket) => {
      socket.on('error', () => {});
      createInterface(socket).on('line', (line) => {
        const [pid, place] = line.split(' ');
        this.places.set(Number(pid), {place: place!, socket});
        this.arrivals.emit(pid!);
      });
    });
  }

  static async open(path: string): Promise<StepSocket> {
    const steps = new StepSocket(path);
    steps.server.listen(path);
    await once(steps.server, 'listening');
    return steps;
  }

  /** Where a process waits; undefined while it goes on. */
  placeOf(pid: number): string | undefined {
    return this.places.get(pid)?.place ?? undefined;
  }

  /** The processes that wait at a place. */
  waitingAt(place: string): number[] {
    return [...this.places].filter(([, process]) => process.place === place).map(([pid]) => pid);
  }

  /** Lets a process go on, with the time that its clock shows from now on. */
  go(pid: number, what: string, phpSeconds: number): void {
    const process = this.places.get(pid)!;
    process.place = null;
    process.socket.write(`${phpSeconds} ${what}\n`);
  }

  forget(pid: number): void {
    this.places.delete(pid);
  }

  close(): void {
    for (const {socket} of this.places.values()) socket.destroy();
    this.server.close();
  }
}
