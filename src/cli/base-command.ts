import {once} from 'node:events';
import {Command, type Interfaces} from '@oclif/core';
import {AtomctlError} from '../errors.ts';
import type {PhpPermission} from '../php/run-php.ts';
import {errorDocument, errorSentence} from '../render/error.ts';
import {sanitizeBlock, sanitizeJson} from '../render/sanitize.ts';
import {type Screen, screenOf} from '../render/screen.ts';
import {type Ask, askSites} from './all-sites.ts';
import type {ChangeOptions} from './change/change-site.ts';
import {Context, siteOptions} from './context.ts';
import {debugEnabled} from './debug.ts';
import {debugTrace, toAtomctlError} from './failure.ts';
import {sharedFlags, switchVariable} from './flags/shared-flags.ts';

export type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<
  (typeof BaseCommand)['baseFlags'] & T['flags']
>;
export type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

/**
 * What every command shares: parsing, the context, data on stdout, notices on stderr, one translation of errors,
 * and the exit status. A command parses, calls one function and presents one result.
 */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = sharedFlags;
  static override enableJsonFlag = true;
  static override usage = '<%= command.id %> [FLAGS]';

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  protected context!: Context;

  override async init(): Promise<void> {
    await super.init();
    // Before oclif's own listener, which throws.
    process.stdout.prependListener('error', (error) => this.#endWithoutStdout(error));
    const {args, flags, raw} = await this.parse({
      args: this.ctor.args,
      flags: this.ctor.flags,
      baseFlags: (super.ctor as typeof BaseCommand).baseFlags,
      enableJsonFlag: this.ctor.enableJsonFlag,
      strict: this.ctor.strict,
    });
    this.flags = flags as FlagsOf<T>;
    this.args = args as ArgsOf<T>;
    const typed = new Set(raw.flatMap((token) => (token.type === 'flag' ? [token.flag] : [])));
    const {timeout: timeoutSeconds} = flags as {timeout: number};
    boundNameLookups(timeoutSeconds, process.env);
    this.context = new Context({
      site: siteOptions(flags as never, typed),
      timeoutSeconds,
      env: process.env,
      cwd: process.cwd(),
      callerUid: process.geteuid!(),
      php: this.mayRunPhp(typed) ? phpPermission(timeoutSeconds) : undefined,
      now: () => new Date(),
    });
  }

  /** Whether the user allows PHP to run; `typed` holds the flags that stood on the command line. */
  protected mayRunPhp(typed: ReadonlySet<string>): boolean {
    return typed.has('run-php') || switchVariable(sharedFlags['run-php'].env!, process.env);
  }

  /** Where text will be shown on stdout. */
  protected get screen(): Screen {
    return screenOf(process.stdout, {noColor: this.flags['no-color'] === true, env: process.env});
  }

  /** Data to stdout: the document under --json, otherwise the text, which ends with its own newline. */
  protected async present(document: object, text: () => string | Promise<string>): Promise<void> {
    if (this.jsonEnabled()) process.stdout.write(`${sanitizeJson(JSON.stringify(document, null, 2))}\n`);
    else process.stdout.write(await text());
  }

  /** Presents what was found, of one site or of every one, and ends with its exit status. */
  protected async answer(ask: Ask, everySite = false): Promise<void> {
    const options = {everySite, notice: (text: string) => this.notice(text), stderr: process.stderr};
    const {document, text, exitStatus} = await askSites(this.context, options, ask);
    await this.present(document, () => text(this.screen));
    this.exitWith(exitStatus);
  }

  /** Changes the site under its lock and on record; the command has `auditFlag`. See changeSite. */
  protected async change<T>(options: Pick<ChangeOptions<T>, 'attempt' | 'work' | 'changes'>): Promise<T> {
    const {changeSite} = await import('./change/change-site.ts');
    return changeSite(this.context, {
      ...options,
      command: this.id ?? '',
      auditLog: (this.flags as {'audit-log'?: string})['audit-log'],
      complain: (text) => process.stderr.write(`Warning: ${sanitizeBlock(text)}\n`),
    });
  }

  /** A stream of data to stdout, no faster than the reader takes it; made harmless where that is a terminal. */
  protected async print(chunks: AsyncIterable<string>): Promise<void> {
    for await (const chunk of chunks) {
      const text = process.stdout.isTTY ? sanitizeBlock(chunk) : chunk;
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    }
  }

  /** A notice or warning to stderr, not under --quiet. */
  protected notice(text: string): void {
    if (this.flags.quiet !== true) process.stderr.write(`${sanitizeBlock(text)}\n`);
  }

  /** The exit status of this process, where the command ends without an error. */
  protected exitWith(status: number): void {
    process.exitCode = status;
  }

  /** The exit status for an error; a command that follows another convention overrides it. */
  protected exitStatusFor(error: AtomctlError): number {
    return error.exitStatus;
  }

  /** How an error is shown; a command whose output others parse may override it. */
  protected presentError(error: AtomctlError): void {
    if (this.jsonEnabled()) process.stdout.write(errorDocument(error));
    else process.stderr.write(errorSentence(error));
  }

  override async catch(thrown: Error): Promise<void> {
    const error = toAtomctlError(thrown);
    if (debugEnabled) process.stderr.write(`${sanitizeBlock(debugTrace(thrown, await this.#secrets()))}\n`);
    this.presentError(error);
    process.exitCode = this.exitStatusFor(error);
  }

  override async finally(): Promise<void> {
    await this.context?.dispose();
  }

  /** A reader that closes the pipe early (`| head`) has what it wanted; a full disk is an error. */
  #endWithoutStdout(cause: NodeJS.ErrnoException): never {
    if (cause.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    const error = new AtomctlError('OUTPUT_FAILED', `stdout cannot be written to (${cause.code}).`, {
      hint: 'See whether the disk that it goes to is full.',
      cause,
    });
    process.stderr.write(errorSentence(error));
    process.exit(this.exitStatusFor(error));
  }

  async #secrets(): Promise<string[]> {
    try {
      const {password} = (await (await this.context.site()).database()).value;
      return password === '' ? [] : [password, encodeURIComponent(password)];
    } catch {
      return [];
    }
  }
}

function phpPermission(timeoutSeconds: number): PhpPermission {
  return {
    timeoutSeconds,
    callerUid: process.geteuid!(),
    kill: (pid, signal) => process.kill(pid, signal),
  };
}

/**
 * Has the system's resolver give up on a name server that is silent within about `seconds` (it counts whole ones):
 * by default it waits 10 s or more, and a lookup once begun cannot be called off, not even by the end of the process.
 * What the user's own RES_OPTIONS says stands.
 */
export function boundNameLookups(seconds: number, env: Record<string, string | undefined>): void {
  env.RES_OPTIONS ??= `timeout:${Math.max(1, Math.floor(seconds))} attempts:1`;
}
