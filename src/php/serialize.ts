import type {PhpValue} from './value.ts';

/** A string key that PHP turns into an int key, if it fits in 64 bits. */
const INTEGER_KEY = /^(?:0|-?[1-9]\d{0,18})$/;
/** Floats from 1e17 up, and below 1e-4, are written with an exponent. */
const MAX_PLAIN_POINT = 17;
const MIN_PLAIN_POINT = -3;

/**
 * A value as PHP's serialize() writes it, with `serialize_precision = -1`, the default since PHP 7.1. The length of a
 * string counts UTF-8 bytes.
 */
export function phpSerialize(value: PhpValue): string {
  if (value === null) return 'N;';
  if (typeof value === 'boolean') return `b:${value ? 1 : 0};`;
  if (typeof value === 'bigint') return `i:${value};`;
  if (typeof value === 'number') return `d:${shortestFloat(value)};`;
  if (typeof value === 'string') return serializedString(value);
  const items = Array.from(value, ([key, item]) => `${serializedKey(key)}${phpSerialize(item)}`);
  return `a:${value.size}:{${items.join('')}}`;
}

function serializedString(text: string): string {
  return `s:${Buffer.byteLength(text)}:"${text}";`;
}

/** PHP array keys that look like an integer are integers: `"7"` is 7, `"07"` and `"-0"` stay strings. */
function serializedKey(key: string): string {
  const isInteger = INTEGER_KEY.test(key) && BigInt.asIntN(64, BigInt(key)) === BigInt(key);
  return isInteger ? `i:${key};` : serializedString(key);
}

/** The shortest digits that read back as the same float, as PHP's serialize() notes them: `0.1`, `1.0E+25`, `-0`. */
export function shortestFloat(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'INF' : '-INF';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (value === 0) return `${sign}0`;
  const [mantissa = '', exponent = ''] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  return sign + placePoint(digits, Number(exponent) + 1);
}

/** `point` digits stand before the decimal point; negative or zero means zeros after it. */
function placePoint(digits: string, point: number): string {
  if (point < MIN_PLAIN_POINT || point > MAX_PLAIN_POINT) {
    const exponent = point - 1;
    return `${digits[0]}.${digits.slice(1) || '0'}E${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
  }
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}
