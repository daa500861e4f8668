import {dirname as parentDirectory} from 'node:path';
import {isTruthy, type PhpArray, type PhpValue, phpString} from './value.ts';

/** Something cannot be read statically; the message names it and its line, never a value. */
export class NotStaticError extends Error {
  override readonly name = 'NotStaticError';
}

/** What every node of php-parser has; the other parts depend on the kind. */
export interface PhpNode {
  kind: string;
  loc?: {start: {line: number}};
  [part: string]: unknown;
}

/** What an expression can see besides itself. */
export interface PhpSurroundings {
  /** Absolute, symbolic links resolved: what `__FILE__` is. */
  file: string;
  /** What `getenv()`, `$_ENV` and `$_SERVER` see. */
  env: Readonly<Record<string, string | undefined>>;
}

/** Evaluates expressions in order, and remembers the variables and constants that they set. */
export class PhpEvaluator {
  readonly #surroundings: PhpSurroundings;
  readonly #variables = new Map<string, PhpValue>();
  readonly #constants = new Map(Object.entries(CONSTANTS));

  constructor(surroundings: PhpSurroundings) {
    this.#surroundings = surroundings;
    const environment = new Map(Object.entries(surroundings.env).map(([name, text]) => [name, text ?? null]));
    this.#variables.set('_ENV', environment).set('_SERVER', environment);
  }

  /** What a `const` statement does. */
  define(name: string, value: PhpValue): void {
    this.#constants.set(name, value);
  }

  /** @throws NotStaticError if the expression needs more than static reading */
  evaluate(node: PhpNode): PhpValue {
    const value = this.#evaluateQuietly(node);
    if (value === undefined) throw notStatic(node, 'a value that is not set');
    return value;
  }

  /** As PHP evaluates the left side of `??`: undefined, not an error, if a variable is not set. */
  #evaluateQuietly(node: PhpNode): PhpValue | undefined {
    switch (node.kind) {
      case 'string':
        return readString(node);
      case 'nowdoc':
        return node.value as string;
      case 'encapsed':
        if (node.type === 'shell') throw notStatic(node, 'a shell command');
        return (node.value as {expression: PhpNode}[])
          .map(({expression}) => phpString(this.evaluate(expression)))
          .join('');
      case 'number':
        return readNumber(node.value as string);
      case 'boolean':
        return node.value as boolean;
      case 'nullkeyword':
        return null;
      case 'array':
        return this.#array(node.items as PhpNode[]);
      case 'name':
        return this.#constant(node);
      case 'magic':
        return this.#magic(node);
      case 'call':
        return this.#call(node);
      case 'bin':
        return this.#binary(node);
      case 'retif':
        return this.#conditional(node);
      case 'unary':
        return this.#unary(node);
      case 'assign':
        return this.#assign(node);
      case 'variable':
        return this.#variables.get(node.name as string);
      case 'offsetlookup':
        return this.#offset(node);
      case 'isset':
        return (node.variables as PhpNode[]).every(
          (variable) => (this.#evaluateQuietly(variable) ?? null) !== null,
        );
      case 'empty':
        return !isTruthy(this.#evaluateQuietly(node.expression as PhpNode) ?? null);
      default:
        throw notStatic(node, `a ${node.kind} expression`);
    }
  }

  #array(items: readonly PhpNode[]): PhpArray {
    const array: PhpArray = new Map();
    let next = 0n;
    for (const item of items) {
      if (item.kind !== 'entry' || item.byRef || item.unpack) throw notStatic(item, 'an unusual array entry');
      const key = item.key ? this.evaluate(item.key as PhpNode) : next;
      const name = phpString(key);
      if (/^(0|-?[1-9]\d*)$/.test(name) && BigInt(name) >= next) next = BigInt(name) + 1n;
      array.set(name, this.evaluate(item.value as PhpNode));
    }
    return array;
  }

  #constant(node: PhpNode): PhpValue {
    const value = this.#constants.get((node.name as string).replace(/^\\/, ''));
    if (value === undefined) throw notStatic(node, `the constant ${node.name}`);
    return value;
  }

  #magic(node: PhpNode): string {
    if (node.value === '__FILE__') return this.#surroundings.file;
    if (node.value === '__DIR__') return parentDirectory(this.#surroundings.file);
    throw notStatic(node, `the constant ${node.value}`);
  }

  #call(node: PhpNode): PhpValue {
    const callee = node.what as PhpNode;
    const name =
      callee.kind === 'name' ? (callee.name as string).replace(/^\\/, '').toLowerCase() : callee.kind;
    const given = (node.arguments as PhpNode[]).map((argument) => this.evaluate(argument));
    const [first = null, second] = given;
    switch (name) {
      case 'getenv':
        if (given.length === 0) break;
        return this.#surroundings.env[phpString(first)] ?? false;
      case 'dirname':
        return dirname(phpString(first), Number(second ?? 1));
      case 'defined':
        return this.#constants.has(phpString(first));
      case 'define':
        if (given.length < 2) break;
        this.#constants.set(phpString(first), second ?? null);
        return true;
    }
    throw notStatic(node, `a call of ${name}()`);
  }

  #binary(node: PhpNode): PhpValue | undefined {
    const left = node.left as PhpNode;
    const right = node.right as PhpNode;
    switch (node.type) {
      case '??':
        return this.#evaluateQuietly(left) ?? this.#evaluateQuietly(right);
      case '&&':
        return isTruthy(this.evaluate(left)) && isTruthy(this.evaluate(right));
      case '||':
        return isTruthy(this.evaluate(left)) || isTruthy(this.evaluate(right));
    }
    const value = OPERATORS[node.type as string]?.(this.evaluate(left), this.evaluate(right));
    if (value === undefined) throw notStatic(node, `the operator ${node.type} on such values`);
    return value;
  }

  /** `test ? a : b`, and `test ?: b`, whose value is that of the test. */
  #conditional(node: PhpNode): PhpValue {
    const test = this.evaluate(node.test as PhpNode);
    if (!isTruthy(test)) return this.evaluate(node.falseExpr as PhpNode);
    return node.trueExpr ? this.evaluate(node.trueExpr as PhpNode) : test;
  }

  #unary(node: PhpNode): PhpValue {
    const value = this.evaluate(node.what as PhpNode);
    if (node.type === '!') return !isTruthy(value);
    if (typeof value === 'bigint' && node.type === '-') return -value;
    if (typeof value === 'bigint' && node.type === '~') return ~value;
    if (typeof value === 'number' && node.type === '-') return -value;
    throw notStatic(node, `the operator ${node.type} on such a value`);
  }

  #assign(node: PhpNode): PhpValue {
    const target = node.left as PhpNode;
    if (target.kind !== 'variable' || typeof target.name !== 'string' || node.operator !== '=') {
      throw notStatic(node, 'an assignment to more than a variable');
    }
    const value = this.evaluate(node.right as PhpNode);
    this.#variables.set(target.name, value);
    return value;
  }

  #offset(node: PhpNode): PhpValue | undefined {
    const array = this.#evaluateQuietly(node.what as PhpNode);
    return array instanceof Map ? array.get(phpString(this.evaluate(node.offset as PhpNode))) : undefined;
  }
}

/** The error for a node that cannot be read, with its line. */
export function notStatic(node: PhpNode, what: string): NotStaticError {
  return new NotStaticError(node.loc ? `${what} on line ${node.loc.start.line}` : what);
}

/** php-parser decodes escapes, but reads each byte of `"\xc3\xa9"` as a character. */
function readString(node: PhpNode): string {
  if (/\\(x[89a-f]|[23]\d\d)/i.test(node.raw as string)) throw notStatic(node, 'a byte escape');
  return node.value as string;
}

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

/** Binary operators; undefined if PHP's rules for these operands are not known here. */
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
  return levels > 1 ? dirname(parentDirectory(text), levels - 1) : parentDirectory(text);
}
