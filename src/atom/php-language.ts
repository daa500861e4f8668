import path from 'node:path';
import {type PhpValue, phpString} from './php-value.ts';

/** Constants of PHP that configuration files use. */
export const CONSTANTS: Readonly<Record<string, PhpValue>> = {
  PHP_EOL: '\n',
  DIRECTORY_SEPARATOR: '/',
  PATH_SEPARATOR: ':',
  E_ERROR: 1n,
  E_WARNING: 2n,
  E_PARSE: 4n,
  E_NOTICE: 8n,
  E_STRICT: 2048n,
  E_DEPRECATED: 8192n,
  E_USER_DEPRECATED: 16384n,
  E_ALL: 32767n,
};

type Operator = (left: PhpValue, right: PhpValue) => PhpValue | undefined;

const onIntegers =
  (operate: (left: bigint, right: bigint) => bigint): Operator =>
  (left, right) =>
    typeof left === 'bigint' && typeof right === 'bigint' ? operate(left, right) : undefined;

/** Binary operators; undefined where PHP's rules for these operands are not known here. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  '.': (left, right) => phpString(left) + phpString(right),
  '===': (left, right) => (left instanceof Map ? undefined : left === right),
  '!==': (left, right) => (left instanceof Map ? undefined : left !== right),
  '==': looselyEqual,
  '!=': (left, right) => {
    const equal = looselyEqual(left, right);
    return equal === undefined ? undefined : !equal;
  },
  '|': onIntegers((left, right) => left | right),
  '&': onIntegers((left, right) => left & right),
  '^': onIntegers((left, right) => left ^ right),
  '+': onIntegers((left, right) => left + right),
  '-': onIntegers((left, right) => left - right),
  '*': onIntegers((left, right) => left * right),
};

/** PHP compares texts that look like numbers as numbers, and unlike types by rules that changed with PHP 8. */
function looselyEqual(left: PhpValue, right: PhpValue): boolean | undefined {
  if (left instanceof Map || typeof left !== typeof right) return undefined;
  if (left === right) return true;
  return typeof left === 'string' && /^\s*[-+.\d]/.test(left) ? undefined : false;
}

/** A number as PHP writes it: decimal, hexadecimal, octal, binary, with underscores. */
export function readNumber(text: string): PhpValue {
  const digits = text.replaceAll('_', '').toLowerCase();
  if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`);
  return /^(\d+|0[xbo][\da-f]+)$/.test(digits) ? BigInt(digits) : Number(digits);
}

/** PHP's dirname(). */
export function dirname(text: string, levels: number): string {
  return levels > 1 ? dirname(path.dirname(text), levels - 1) : path.dirname(text);
}
