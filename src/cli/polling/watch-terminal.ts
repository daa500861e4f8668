import type {Screen} from '../../render/screen.ts';
import {bodyScreen, drawFrame, renderFrame} from '../../render/watch-frame.ts';
import type {Round, View, Watched, WatchOutput} from './watch-view.ts';

/** Enters the alternate screen, clears it and hides the cursor. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
/** Restores the normal screen. The cursor goes home first, or tmux keeps lines of the other screen after a resize. */
const LEAVE = '\u001b[2J\u001b[H\u001b[?25h\u001b[?1049l';

const USUAL_ROWS = 24;

/**
 * For a terminal: redraws in place on the alternate screen, also when the window is resized. Closing it restores the
 * normal screen and prints the last round there.
 */
export function terminalView<T>(watched: Watched<T>, output: WatchOutput): View<T> {
  return new TerminalView(watched, output);
}

class TerminalView<T> implements View<T> {
  readonly #watched: Watched<T>;
  readonly #output: WatchOutput;
  readonly #redraw = () => void this.#draw();
  #round: Round<T> | undefined;
  #plain = '';
  #before: string | null = null;
  /** Counts the drawings, so that one that takes long does not overwrite a later one. */
  #drawing = 0;
  #restored = false;
  #closing: Promise<void> | undefined;

  constructor(watched: Watched<T>, output: WatchOutput) {
    this.#watched = watched;
    this.#output = output;
    output.stdout.write(ENTER);
    output.stdout.on('resize', this.#redraw);
    process.once('exit', this.#restore);
    if (output.stdin.isTTY) output.stdin.setRawMode(true).on('data', interruptOnKey).resume();
  }

  async show(round: Round<T>): Promise<void> {
    const whole = {...this.#output.screen(), width: Number.POSITIVE_INFINITY, color: false};
    this.#before = this.#round === undefined ? null : this.#plain;
    this.#plain = await this.#watched.text(round.data, whole);
    this.#round = round;
    await this.#draw();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#restore();
    const {stdin, stdout, screen, notice} = this.#output;
    stdout.removeListener('resize', this.#redraw);
    process.removeListener('exit', this.#restore);
    if (stdin.isTTY) stdin.removeListener('data', interruptOnKey).pause();
    if (this.#round === undefined) return;
    const {data, notices, error} = this.#round;
    stdout.write(await this.#watched.text(data, screen()));
    for (const text of notices) notice(text);
    if (error !== null) notice(error.message);
  }

  /** Synchronous, because the process may be about to exit. */
  readonly #restore = () => {
    this.#restored = true;
    const {stdin, stdout} = this.#output;
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write(LEAVE);
  };

  async #draw(): Promise<void> {
    const round = this.#round;
    if (round === undefined) return;
    const drawing = ++this.#drawing;
    const {stdout} = this.#output;
    const screen = this.#output.screen();
    const rows = stdout.rows || USUAL_ROWS;
    const lines = await renderFrame(await this.#frame(round, screen), screen, rows);
    if (drawing === this.#drawing && !this.#restored) stdout.write(drawFrame(lines, rows));
  }

  async #frame(round: Round<T>, screen: Screen) {
    const {title, seconds, text} = this.#watched;
    const {at, notices, error, data} = round;
    return {
      title: `${title}, every ${seconds} s`,
      at,
      notices: error === null ? notices : [...notices, error.message],
      body: await text(data, bodyScreen(screen)),
      plain: this.#plain,
      before: this.#before,
    };
  }
}

/** In raw mode, Ctrl-C arrives as a key. `q` does the same. */
function interruptOnKey(keys: Buffer): void {
  if (/[q\u0003]/.test(keys.toString())) process.kill(process.pid, 'SIGINT');
}
