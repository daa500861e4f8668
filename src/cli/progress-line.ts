/** One line on a terminal's stderr that is written over and over; nothing at all elsewhere or under --quiet. */
export class ProgressLine {
  readonly #stderr: NodeJS.WriteStream | null;

  constructor(stderr: NodeJS.WriteStream, {quiet}: {quiet: boolean}) {
    this.#stderr = stderr.isTTY === true && !quiet ? stderr : null;
  }

  /** Shows plain text without control characters, cut to the terminal's width. */
  show(text: string): void {
    this.#stderr?.write(`\r${text.slice(0, (this.#stderr.columns || 80) - 1)}\u001b[K`);
  }

  /** Makes room for something else. */
  clear(): void {
    this.#stderr?.write('\r\u001b[K');
  }
}
