import type {Screen} from '../../render/screen.ts';
import {bodyWidth, drawFrame, renderFrame} from '../../render/watch-frame.ts';
import type {Round, View, Watched, WatchPlace} from './watch.ts';

/** The alternate screen, empty and without a cursor. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
/** The normal screen as it was. tmux, resized meanwhile, would keep lines of the other where the cursor is not home. */
const LEAVE = '\u001b[2J\u001b[H\u001b[?25h\u001b[?1049l';

const USUAL_ROWS = 24;

/**
 * For a terminal: redraws in place on the alternate screen, and again at once where the window is resized. Closing
 * it brings back the normal screen and leaves there what was seen last.
 */
export function terminalView<T>(watched: Watched<T>, place: WatchPlace): View<T> {
  return new TerminalView(watched, place);
}

class TerminalView<T> implements View<T> {
  readonly #watched: Watched<T>;
  readonly #place: WatchPlace;
  readonly #redraw = () => void this.#draw();
  #round: Round<T> | undefined;
  #plain = '';
  #before: string | null = null;
  /** Counts the drawings, so that one which took longer than the next does not overwrite it. */
  #drawing = 0;
  #restored = false;
  #closing: Promise<void> | undefined;

  constructor(watched: Watched<T>, place: WatchPlace) {
    this.#watched = watched;
    this.#place = place;
    place.stdout.write(ENTER);
    place.stdout.on('resize', this.#redraw);
    process.once('exit', this.#restore);
    if (place.stdin.isTTY) place.stdin.setRawMode(true).on('data', interruptOnKey).resume();
  }

  async show(round: Round<T>): Promise<void> {
    const whole = {...this.#place.screen(), width: Number.POSITIVE_INFINITY, color: false};
    this.#before = this.#round === undefined ? null : this.#plain;
    this.#plain = await this.#watched.text(round.seen, whole);
    this.#round = round;
    await this.#draw();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#restore();
    const {stdin, stdout, screen, notice} = this.#place;
    stdout.removeListener('resize', this.#redraw);
    process.removeListener('exit', this.#restore);
    if (stdin.isTTY) stdin.removeListener('data', interruptOnKey).pause();
    if (this.#round === undefined) return;
    const {seen, notices, error} = this.#round;
    stdout.write(await this.#watched.text(seen, screen()));
    for (const text of notices) notice(text);
    if (error !== null) notice(error.message);
  }

  /** Without waiting for anything: it may be the last that the process does. */
  readonly #restore = () => {
    this.#restored = true;
    const {stdin, stdout} = this.#place;
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write(LEAVE);
  };

  async #draw(): Promise<void> {
    const round = this.#round;
    if (round === undefined) return;
    const drawing = ++this.#drawing;
    const {stdout} = this.#place;
    const screen = this.#place.screen();
    const rows = stdout.rows || USUAL_ROWS;
    const lines = await renderFrame(await this.#frame(round, screen), screen, rows);
    if (drawing === this.#drawing && !this.#restored) stdout.write(drawFrame(lines, rows));
  }

  async #frame(round: Round<T>, screen: Screen) {
    const {title, seconds, text} = this.#watched;
    const {at, notices, error, seen} = round;
    return {
      title: `${title}, every ${seconds} s`,
      at,
      notices: error === null ? notices : [...notices, error.message],
      body: await text(seen, {...screen, width: bodyWidth(screen.width)}),
      plain: this.#plain,
      before: this.#before,
    };
  }
}

/** The terminal is raw, lest what is typed tears the picture: Ctrl-C arrives as a key. `q` is as good. */
function interruptOnKey(keys: Buffer): void {
  if (/[q\u0003]/.test(keys.toString())) process.kill(process.pid, 'SIGINT');
}
