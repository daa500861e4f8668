/** The bytes of one answer as they arrive: grows by doubling, so that a long list costs linear time. */
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
