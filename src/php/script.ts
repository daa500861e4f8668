import {
  checkProgram,
  NotStaticError,
  notStatic,
  PhpEvaluator,
  type PhpNode,
  type PhpSurroundings,
} from './expression.ts';
import {isTruthy, type PhpValue, phpString} from './value.ts';

export {NotStaticError};

export interface PhpScriptOptions extends PhpSurroundings {
  /** Printed for an `echo` that cannot be read; without it, such an echo throws. */
  placeholder?: string;
}

export interface PhpScriptResult {
  /** What the script prints, its text outside `<?php … ?>` included. */
  output: string;
  /** What it returns; 1 if it returns nothing. */
  returned: PhpValue;
}

/**
 * Reads a PHP file without running PHP: the small language of configuration files. That is literals, both array
 * forms, constants, getenv, dirname, concatenation, conditions and variables. Anything else throws.
 * @throws NotStaticError if the file is not PHP or needs more than that
 */
export async function readPhpScript(source: string, options: PhpScriptOptions): Promise<PhpScriptResult> {
  const {Engine} = (await import('php-parser')).default;
  const engine = new Engine({ast: {withPositions: true}});
  let program: {children: PhpNode[]};
  try {
    program = engine.parseCode(source, options.file) as unknown as {children: PhpNode[]};
  } catch (error) {
    throw new NotStaticError(isTooDeep(error) ? TOO_DEEP : 'it is not valid PHP');
  }
  const script = new PhpScript(options);
  try {
    const statements = startOf(program.children);
    checkProgram(statements);
    script.run(statements);
  } catch (error) {
    throw isTooDeep(error) ? new NotStaticError(TOO_DEEP) : error;
  }
  return {output: script.output, returned: script.returned === undefined ? 1n : script.returned};
}

const TOO_DEEP = 'it is nested too deeply';

function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError;
}

/** `declare(strict_types=1)` changes nothing that is read here, but stands first. */
function startOf(statements: readonly PhpNode[]): readonly PhpNode[] {
  const [first] = statements;
  const directives = first?.kind === 'declare' ? (first.directives as {key: {name: string}}[]) : [];
  const isStrict = directives.length === 1 && directives[0]!.key.name.toLowerCase() === 'strict_types';
  return isStrict ? statements.slice(1) : statements;
}

class PhpScript {
  output = '';
  returned: PhpValue | undefined;
  readonly #placeholder: string | undefined;
  readonly #evaluator: PhpEvaluator;

  constructor({placeholder, ...surroundings}: PhpScriptOptions) {
    this.#placeholder = placeholder;
    this.#evaluator = new PhpEvaluator(surroundings);
  }

  run(statements: readonly PhpNode[]): void {
    for (const statement of statements) {
      if (this.returned !== undefined) return;
      this.#execute(statement);
    }
  }

  #execute(node: PhpNode): void {
    switch (node.kind) {
      case 'inline':
        this.output += node.value;
        return;
      case 'echo':
        for (const expression of node.expressions as PhpNode[]) this.output += this.#echoed(expression);
        return;
      case 'return':
        this.returned = node.expr ? this.#evaluator.evaluate(node.expr as PhpNode) : null;
        return;
      case 'expressionstatement':
        this.#evaluator.evaluate(node.expression as PhpNode);
        return;
      case 'constantstatement':
        for (const {name, value} of node.constants as {name: {name: string}; value: PhpNode}[]) {
          this.#evaluator.declare(node, name.name, value);
        }
        return;
      case 'if': {
        const branch = isTruthy(this.#evaluator.evaluate(node.test as PhpNode)) ? node.body : node.alternate;
        if (branch) this.#execute(branch as PhpNode);
        return;
      }
      case 'block':
        this.run(node.children as PhpNode[]);
        return;
      case 'noop':
        return;
      default:
        throw notStatic(node, `a ${node.kind} statement`);
    }
  }

  #echoed(expression: PhpNode): string {
    try {
      return phpString(this.#evaluator.evaluate(expression));
    } catch (error) {
      if (error instanceof NotStaticError && this.#placeholder) return this.#placeholder;
      throw error;
    }
  }
}
