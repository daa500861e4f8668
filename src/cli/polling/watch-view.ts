import type {AtomctlError} from '../../errors.ts';
import type {Screen} from '../../render/screen.ts';
import type {Context} from '../context.ts';
import type {IO} from '../terminal/io.ts';

/** What is watched: how to fetch it, and how to show it. */
export interface Watched<T> {
  title: string;
  seconds: number;
  fetch: (context: Context, notice: (text: string) => void) => Promise<T>;
  text: (data: T, screen: Screen) => Promise<string>;
  document: (data: T) => object;
}

/** The result of one poll. */
export interface Round<T> {
  /** Wall-clock time in the site's zone. */
  at: string;
  /** The data of the last poll that succeeded: older than the round if there is an error. */
  data: T;
  notices: string[];
  error: AtomctlError | null;
}

/** Shows one round after the other. `close` may be called twice. */
export interface View<T> {
  show(round: Round<T>): Promise<void>;
  close(): Promise<void>;
}

/** Where a watch is shown. */
export interface WatchOutput extends Omit<IO, 'signals'> {
  json: boolean;
  /** The screen as it is now; it may be resized. */
  screen: () => Screen;
  notice: (text: string) => void;
}
