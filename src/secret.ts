import {inspect} from 'node:util';

const MASK = '***';

/**
 * A password. Whatever prints it (a template, JSON, util.inspect, an error) shows `***`; only `reveal` gives its
 * text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether there is nothing to hide: a login without a password. */
  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** The text itself, for the server that it is meant for. Never print what this returns. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
