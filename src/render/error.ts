import type {AtomctlError} from '../errors.ts';
import {sanitizeJson, sanitizeLine} from './sanitize.ts';
import {paint, type Screen} from './screen.ts';
import {wrapSentences} from './wrap.ts';

/** An error in JSON, the same in every document that holds one. */
export interface ErrorDocument {
  code: string;
  message: string;
  hint: string | null;
}

/** `error` as a part of a document. */
export function errorDocument({code, message, hint}: AtomctlError): ErrorDocument {
  return {code, message, hint: hint ?? null};
}

/** What a command that failed prints on stdout under --json. */
export function renderErrorDocument(error: AtomctlError): string {
  return `${sanitizeJson(JSON.stringify({error: errorDocument(error)}, null, 2))}\n`;
}

/** What it prints on stderr otherwise: what happened, and what to do next. */
export function renderError(error: AtomctlError, screen: Screen): string {
  return wrapSentences(
    `${paint(screen, 'red', 'Error:')} ${sanitizeLine(errorSentences(error))}\n`,
    screen.width,
  );
}

/** Message and hint in one line. */
export function errorSentences({message, hint}: AtomctlError): string {
  return [message, hint].filter(Boolean).join(' ');
}
