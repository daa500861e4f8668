import type {AtomctlError} from '../errors.ts';
import {sanitizeBlock, sanitizeJson} from './sanitize.ts';

/** An error as scripts read it, on stdout under --json. */
export function errorDocument({code, message, hint}: AtomctlError): string {
  return `${sanitizeJson(JSON.stringify({error: {code, message, hint: hint ?? null}}, null, 2))}\n`;
}

/** An error as a person reads it, on stderr: what happened, and what to do next. */
export function errorSentence({message, hint}: AtomctlError): string {
  return `Error: ${sanitizeBlock([message, hint].filter(Boolean).join(' '))}\n`;
}
