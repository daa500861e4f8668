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
  /** What `getenv()` and `$_SERVER` see. `$_ENV` is empty or not, as php.ini says, and is not read. */
  env: Readonly<Record<string, string | undefined>>;
}

/** Evaluates expressions in order, and remembers the variables and constants that they set. */
export class PhpEvaluator {
  readonly #surroundings: PhpSurroundings;
  readonly #variables = new Map<string, PhpValue>();
  readonly #constants = new Map(Object.entries(CONSTANTS));
  readonly #sizes = new WeakMap<PhpArray, {entries: number; depth: number}>();

  constructor(surroundings: PhpSurroundings) {
    // Without what every JavaScript object has: `constructor` is no variable.
    this.#surroundings = {...surroundings, env: Object.assign(Object.create(null), surroundings.env)};
  }

  /** What a `const` statement does. @throws NotStaticError if PHP does not allow it, or keeps an older value */
  declare(node: PhpNode, name: string, expression: PhpNode): void {
    const unfit = findNode(expression, ({kind}) => !CONSTANT_EXPRESSIONS.has(kind));
    if (unfit) throw notStatic(unfit, `a ${unfit.kind} expression in a constant`);
    this.#define(node, name, this.evaluate(expression));
  }

  #define(node: PhpNode, name: string, value: PhpValue): void {
    const isNew = /^[A-Za-z_]\w*$/.test(name) && !this.#constants.has(name) && !RESERVED.test(name);
    if (!isNew) throw notStatic(node, `a second definition of ${name}`);
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
          .reduce((text, part) => joined(node, text, part), '');
      case 'number':
        return readNumber(node);
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
        if (typeof node.name !== 'string' || SUPERGLOBAL.test(node.name))
          throw notStatic(node, `the variable $${typeof node.name === 'string' ? node.name : '$'}`);
        return this.#variables.get(node.name);
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
      const key = item.key ? arrayKey(item, this.evaluate(item.key as PhpNode)) : String(next);
      // What follows a negative key differs from PHP 8.2 to 8.3.
      if (key.startsWith('-') && isInteger(key) && next === 0n) throw notStatic(item, 'a negative key');
      if (isInteger(key) && BigInt(key) >= next) next = BigInt(key) + 1n;
      if (next > MOST_INTEGER) throw notStatic(item, 'a too large key');
      array.set(key, this.evaluate(item.value as PhpNode));
    }
    if (!this.#fits(array)) throw notStatic(items[0]!, 'a too large array');
    return array;
  }

  /** No loop can run here, but arrays that hold one another twice grow as fast. */
  #fits(array: PhpArray): boolean {
    let [entries, depth] = [array.size, 1];
    for (const value of array.values()) {
      const inner = value instanceof Map ? this.#sizes.get(value) : undefined;
      entries += inner?.entries ?? 0;
      depth = Math.max(depth, 1 + (inner?.depth ?? 0));
    }
    this.#sizes.set(array, {entries, depth});
    return entries <= MOST_ENTRIES && depth <= MOST_DEPTH;
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
    const [first, second, ...more] = (node.arguments as PhpNode[]).map((argument) => this.evaluate(argument));
    // PHP turns other values into texts, or refuses them, as its version and strict_types say.
    if (typeof first === 'string' && more.length === 0) {
      if (name === 'getenv' && second === undefined && first !== '')
        return this.#surroundings.env[first] ?? false;
      if (name === 'dirname' && first !== '') {
        if (second === undefined) return dirname(first, 1);
        if (typeof second === 'bigint' && second > 0n && second < 100n) return dirname(first, Number(second));
      }
      if (name === 'defined' && second === undefined && this.#constants.has(first)) return true;
      if (name === 'define' && second !== undefined) {
        this.#define(node, first, second);
        return true;
      }
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
    const operands = [this.evaluate(left), this.evaluate(right)] as const;
    if (node.type === '.') return joined(node, phpString(operands[0]), phpString(operands[1]));
    const value = OPERATORS[node.type as string]?.(...operands);
    if (value === undefined) throw notStatic(node, `the operator ${node.type} on these values`);
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
    if (typeof value === 'bigint' && node.type === '-' && isRepresentable(-value)) return -value;
    if (typeof value === 'bigint' && node.type === '~') return ~value;
    if (typeof value === 'number' && node.type === '-') return -value;
    throw notStatic(node, `the operator ${node.type} on this value`);
  }

  #assign(node: PhpNode): PhpValue {
    const target = node.left as PhpNode;
    const isPlain = target.kind === 'variable' && typeof target.name === 'string' && node.operator === '=';
    if (!isPlain || SUPERGLOBAL.test(target.name as string) || target.name === 'this') {
      throw notStatic(node, 'an assignment to something other than a variable');
    }
    const value = this.evaluate(node.right as PhpNode);
    this.#variables.set(target.name as string, value);
    return value;
  }

  #offset(node: PhpNode): PhpValue | undefined {
    const of = node.what as PhpNode;
    if (!node.offset) throw notStatic(node, 'an empty index');
    if (of.kind === 'variable' && of.name === '_SERVER') return this.#server(node);
    const array = this.#evaluateQuietly(of);
    const key = arrayKey(node, this.evaluate(node.offset as PhpNode));
    if (typeof array === 'string') throw notStatic(node, 'a character of a text');
    return array instanceof Map ? array.get(key) : undefined;
  }

  /** `$_SERVER` has the environment, and of a request what a web server adds. */
  #server(node: PhpNode): PhpValue | undefined {
    const key = arrayKey(node, this.evaluate(node.offset as PhpNode));
    const {env} = this.#surroundings;
    const isRenamed = Object.keys(env).some((name) => name !== key && asServerKey(name) === key);
    if (OF_REQUEST.test(key) || asServerKey(key) !== key || isRenamed)
      throw notStatic(node, `$_SERVER of ${key}`);
    return env[key];
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

const SUPERGLOBAL = /^(_(ENV|SERVER|GET|POST|COOKIE|FILES|REQUEST|SESSION)|GLOBALS|argv|argc|php_errormsg)$/;

/** What PHP itself, or a web server, puts into `$_SERVER`. */
const OF_REQUEST =
  /^(HTTP|SERVER|REQUEST|REMOTE|SCRIPT|PATH|DOCUMENT|QUERY|CONTENT|GATEWAY|AUTH|REDIRECT|ORIG|FCGI|SSL)(_|$)|^(HTTPS|PHP_SELF|PHP_AUTH_.*|argv|argc|UNIQUE_ID)$/;

/** PHP gives `$_SERVER` no key with a blank, a dot or a bracket. */
const asServerKey = (name: string) => name.replace(/[ .[]/g, '_');

/** Constants that PHP has in any spelling, or in one per file. */
const RESERVED = /^(true|false|null|__\w+__)$/i;

/** What the value of a `const` may be made of. */
const CONSTANT_EXPRESSIONS = new Set([
  'string',
  'nowdoc',
  'number',
  'boolean',
  'nullkeyword',
  'array',
  'entry',
  'name',
  'magic',
  'bin',
  'retif',
  'unary',
]);

/**
 * What PHP refuses before it runs the first line, and php-parser does not.
 * @throws NotStaticError
 */
export function checkProgram(statements: readonly PhpNode[]): void {
  for (const statement of statements) {
    const wrong = findNode(statement, (node) => {
      switch (node.kind) {
        case 'number':
          return isWrongOctal(node.value as string);
        case 'entry':
          return (node.key as PhpNode | null)?.kind === 'array';
        case 'constantstatement':
          return node !== statement;
        default:
          return node.kind === 'declare' || node.kind === 'goto';
      }
    });
    if (wrong) throw notStatic(wrong, `a ${wrong.kind} here`);
  }
}

const isWrongOctal = (digits: string) => /^0[\d_]+$/.test(digits) && /[89]/.test(digits);

/** The first node of a tree that is wanted; undefined if there is none. */
function findNode(node: PhpNode, isWanted: (node: PhpNode) => boolean): PhpNode | undefined {
  if (isWanted(node)) return node;
  for (const part of Object.values(node)) {
    for (const each of Array.isArray(part) ? part : [part]) {
      const found = isNode(each) ? findNode(each, isWanted) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

function isNode(value: unknown): value is PhpNode {
  return typeof value === 'object' && value !== null && typeof (value as PhpNode).kind === 'string';
}

/** More than any configuration has; a text that doubles itself line by line grows to gigabytes. */
const MOST_CHARACTERS = 1_000_000;
const MOST_ENTRIES = 10_000;
const MOST_DEPTH = 100;

function joined(node: PhpNode, left: string, right: string): string {
  if (left.length + right.length > MOST_CHARACTERS) throw notStatic(node, 'a too long text');
  return left + right;
}

const isInteger = (key: string) => /^(0|-?[1-9]\d*)$/.test(key) && isRepresentable(BigInt(key));

/** An integer as a key becomes text here; PHP makes integers of some others, as its version says. */
function arrayKey(node: PhpNode, value: PhpValue): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value === null) return '';
  if (typeof value === 'string' || typeof value === 'bigint') return String(value);
  throw notStatic(node, 'a key of this kind');
}

/** PHP's integers have 64 bits. What does not fit becomes a float. */
const MOST_INTEGER = 2n ** 63n - 1n;

const isRepresentable = (value: bigint) => BigInt.asIntN(64, value) === value;

/** Constants of PHP that configuration files use. */
export const CONSTANTS: Readonly<Record<string, PhpValue>> = {
  PHP_EOL: '\n',
  DIRECTORY_SEPARATOR: '/',
  PATH_SEPARATOR: ':',
  PHP_INT_MAX: MOST_INTEGER,
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
  (left, right) => {
    if (typeof left !== 'bigint' || typeof right !== 'bigint') return undefined;
    const value = operate(left, right);
    return isRepresentable(value) ? value : undefined;
  };

/** Binary operators; undefined if PHP's rules for these operands are not known here. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
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
  if (left instanceof Map || right instanceof Map || typeof left !== typeof right) return undefined;
  if (left === right) return true;
  return typeof left === 'string' && /^\s*[-+.\d]/.test(left) ? undefined : false;
}

/** A number as PHP writes it: decimal, hexadecimal, octal, binary, with underscores. */
function readNumber(node: PhpNode): PhpValue {
  const digits = (node.value as string).replaceAll('_', '').toLowerCase();
  const isOctal = /^0\d+$/.test(digits);
  if (!isOctal && !/^(\d+|0[xbo][\da-f]+)$/.test(digits)) return Number(digits);
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  return isRepresentable(value) ? value : Number(value);
}

/** PHP's dirname() of a text that is not empty. */
function dirname(text: string, levels: number): string {
  const parent = parentDirectory(text.replace(/\/+/g, '/'));
  return levels > 1 ? dirname(parent, levels - 1) : parent;
}
