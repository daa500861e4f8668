import {once} from 'node:events';
import {Command, type Interfaces} from '@oclif/core';
import {AtomctlError, usageError} from '../errors.ts';
import type {PhpPermission} from '../php/run-php.ts';
import {renderError, renderErrorDocument} from '../render/error.ts';
import {sanitizeBlock, sanitizeJson, sanitizeLine} from '../render/sanitize.ts';
import {type Screen, screenOf} from '../render/screen.ts';
import {wrapSentences} from '../render/wrap.ts';
import {systemReason} from '../system-failure.ts';
import type {ChangeOptions} from './change/change-site.ts';
import {Context, siteOptions} from './context.ts';
import {debugEnabled} from './debug.ts';
import {debugTrace, toAtomctlError} from './failure.ts';
import {sharedFlags, switchVariable} from './flags/shared-flags.ts';
import {secretsIn} from './mask.ts';
import type {WatchOutput} from './polling/watch-view.ts';
import {type Changes, makesChanges, readOnlyError} from './read-only.ts';
import {type Ask, askSites, readSites, type SitePart, siteError} from './site/all-sites.ts';
import {errorScreen, type IO, processIO, writeSentences} from './terminal/io.ts';

export type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<
  (typeof BaseCommand)['baseFlags'] & T['flags']
>;
export type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

/**
 * Shared by every command: parsing, context, data on stdout, notices on stderr, translation of errors, exit status.
 * A command parses, calls one function and presents one result.
 */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = sharedFlags;
  static override enableJsonFlag = true;
  /** Each command says what it changes: --read-only refuses it then. A test goes over all commands. */
  static changes: Changes;
  static override usage = '<%= command.id %> [FLAGS]';

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  protected context!: Context;
  /** A command's way to streams and environment: only cli/ names Node's global `process`. */
  protected readonly io: IO = processIO;

  override async init(): Promise<void> {
    await super.init();
    // oclif's own listener throws: this one comes before it.
    this.io.stdout.prependListener('error', (error) => this.#endWithoutStdout(error));
    const {args, flags, raw} = await this.parse({
      args: this.ctor.args,
      flags: this.ctor.flags,
      baseFlags: (super.ctor as typeof BaseCommand).baseFlags,
      enableJsonFlag: this.ctor.enableJsonFlag,
      strict: this.ctor.strict,
    });
    this.flags = flags as FlagsOf<T>;
    this.args = Object.fromEntries(
      Object.entries(args).map(([name, value]) => [name, Array.isArray(value) ? value.flat() : value]),
    ) as ArgsOf<T>;
    const typed = new Set(raw.flatMap((token) => (token.type === 'flag' ? [token.flag] : [])));
    const {timeout: timeoutSeconds} = flags as {timeout: number};
    boundNameLookups(timeoutSeconds, this.io.env);
    this.context = new Context({
      site: siteOptions(flags as never, typed, this.io.env),
      timeoutSeconds,
      env: this.io.env,
      cwd: process.cwd(),
      callerUid: process.geteuid!(),
      php: this.mayRunPhp(typed) ? phpPermission(timeoutSeconds) : undefined,
      now: () => new Date(),
    });
    await this.#refuseChangeIfReadOnly(typed);
    if (this.#isChanging) this.#goOnWithoutOutput();
  }

  get #isChanging(): boolean {
    return makesChanges((this.ctor as typeof BaseCommand).changes, this.flags);
  }

  /** Before anything is connected to. @throws AtomctlError USAGE */
  async #refuseChangeIfReadOnly(typed: ReadonlySet<string>): Promise<void> {
    if (!this.#isChanging) return;
    const origin = await this.#readOnlyOrigin(typed);
    if (origin !== null) throw readOnlyError(this.id ?? '', origin);
  }

  async #readOnlyOrigin(typed: ReadonlySet<string>): Promise<string | null> {
    if (typed.has('read-only')) return '--read-only';
    const variable = sharedFlags['read-only'].env!;
    return switchVariable(variable, this.io.env) ? variable : this.context.readOnlyOrigin();
  }

  /** Whether the user allows PHP to run; `typed` holds the flags that are on the command line. */
  protected mayRunPhp(typed: ReadonlySet<string>): boolean {
    return typed.has('run-php') || switchVariable(sharedFlags['run-php'].env!, this.io.env);
  }

  /** The screen that stdout goes to. */
  protected get screen(): Screen {
    return screenOf(this.io.stdout, {noColor: this.flags['no-color'] === true, env: this.io.env});
  }

  /** What a watch needs to show its rounds. */
  protected get watchOutput(): WatchOutput {
    const {stdin, stdout, stderr, env} = this.io;
    const notice = (text: string) => this.notice(text);
    return {stdin, stdout, stderr, env, json: this.jsonEnabled(), screen: () => this.screen, notice};
  }

  /** Prints data on stdout: the document under --json, otherwise the text, which ends with its own newline. */
  protected async present(document: object, text: () => string | Promise<string>): Promise<void> {
    const json = () => `${sanitizeJson(JSON.stringify(document, null, 2))}\n`;
    this.io.stdout.write(this.jsonEnabled() ? json() : await text());
  }

  /** The same for a text of sentences: on a terminal, it is wrapped at its width. */
  protected presentSentences(document: object, text: () => string): Promise<void> {
    return this.present(document, () => wrapSentences(text(), this.screen.width));
  }

  /** Asks this site or every site, presents the answer and sets its exit status. */
  protected async answer(ask: Ask, everySite = false): Promise<void> {
    const options = {everySite, notice: (text: string) => this.notice(text), stderr: this.io.stderr};
    const {document, text, exitStatus} = await askSites(this.context, options, ask);
    await this.present(document, () => text(this.screen));
    this.exitWith(exitStatus);
  }

  /**
   * The parts that `read` gives for this site or for every site. A site that fails has its error on stderr, and the others follow,
   * unless its failure is to end all.
   */
  protected readSites<T>(
    read: (context: Context, notice: (text: string) => void) => AsyncIterable<T>,
    {everySite, endAtFailure = false}: {everySite: boolean; endAtFailure?: boolean},
  ): AsyncIterable<SitePart<T>> {
    let worst = 0;
    return readSites(this.context, {everySite, notice: (text) => this.notice(text)}, read, (site, error) => {
      if (endAtFailure)
        throw new AtomctlError(error.code, `${site}: ${error.message}`, {hint: error.hint, cause: error});
      this.tell(siteError(site, error));
      worst = Math.max(worst, error.exitStatus);
      this.exitWith(worst);
    });
  }

  /** Asks before a change, with the name of the site: see confirm. */
  protected async confirm(options: {question: string; assumeYes: boolean}): Promise<void> {
    const [{confirm}, {siteLine}] = await Promise.all([
      import('./terminal/confirm.ts'),
      import('./site/site-line.ts'),
    ]);
    await confirm({...this.io, ...options, site: () => siteLine(this.context)});
  }

  /**
   * For a command with `auditFlag` that reads or writes another file.
   * @throws AtomctlError USAGE if the audit log is that file
   */
  protected async requireOtherLog(path: string, name: string): Promise<void> {
    const log = (this.flags as {'audit-log'?: string})['audit-log'];
    if (log === undefined) return;
    const {isSameFile} = await import('../files/same-file.ts');
    if (!(await isSameFile(log, path))) return;
    throw usageError(
      `${name} and the audit log are the same file: ${path}.`,
      'Give another file for one of them. Nothing was changed.',
    );
  }

  /** Changes the site under its lock, with an audit log: see changeSite. The command has `auditFlag`. */
  protected async change<T>(options: Pick<ChangeOptions<T>, 'attempt' | 'work' | 'changes'>): Promise<T> {
    const {changeSite} = await import('./change/change-site.ts');
    return changeSite(this.context, {
      ...options,
      command: this.id ?? '',
      auditLog: (this.flags as {'audit-log'?: string})['audit-log'],
      warn: (text) => this.tell(`Warning: ${sanitizeLine(text)}\n`),
    });
  }

  /** Prints a stream of data on stdout, at the reader's speed; sanitised if stdout is a terminal. */
  protected async print(chunks: AsyncIterable<string>): Promise<void> {
    for await (const chunk of chunks) {
      const {stdout} = this.io;
      const text = stdout.isTTY ? sanitizeBlock(chunk) : chunk;
      if (!stdout.write(text)) await once(stdout, 'drain');
    }
  }

  /** Prints a notice or warning as one line on stderr, unless --quiet: what it quotes must not look like another. */
  protected notice(text: string): void {
    if (this.flags.quiet !== true) this.tell(`${sanitizeLine(text)}\n`);
  }

  /** Prints sentences on stderr, also under --quiet; on a terminal, wrapped at its width. */
  protected tell(text: string): void {
    writeSentences(this.io.stderr, text);
  }

  /** Sets the exit status of this process. */
  protected exitWith(status: number): void {
    process.exitCode = status;
  }

  /** Ends this process at the latest after so many milliseconds, with exit status 1, whatever it waits for. */
  protected endAfter(milliseconds: number): void {
    setTimeout(() => process.exit(1), milliseconds).unref();
  }

  /** The exit status for an error; a command that follows another convention overrides it. */
  protected exitStatusFor(error: AtomctlError): number {
    return error.exitStatus;
  }

  /** Shows an error; a command whose output is parsed may override it. */
  protected presentError(error: AtomctlError): void {
    if (this.jsonEnabled()) this.io.stdout.write(renderErrorDocument(error));
    else this.io.stderr.write(renderError(error, errorScreen(this.io, this.argv)));
  }

  override async catch(thrown: Error): Promise<void> {
    const {flags, baseFlags} = this.ctor;
    const command = {id: this.id ?? '', flags: {json: {}, help: {}, 'help-all': {}, ...baseFlags, ...flags}};
    const error = toAtomctlError(thrown, process.argv, command);
    if (debugEnabled) this.io.stderr.write(`${sanitizeBlock(debugTrace(thrown, await this.#secrets()))}\n`);
    this.presentError(error);
    this.exitWith(this.exitStatusFor(error));
  }

  override async finally(): Promise<void> {
    for (const text of (await this.context?.skippedLines()) ?? []) this.notice(`Warning: ${text}`);
    await this.context?.dispose();
  }

  /** A closed pipe (`| head`) is not an error; a full disk is. */
  #endWithoutStdout(cause: NodeJS.ErrnoException): never {
    if (cause.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    process.exit(this.#sayOutputFailed(cause));
  }

  /** A change is made and recorded, and has its exit status, whether its output can be written or not. */
  #goOnWithoutOutput(): void {
    let failed = false;
    this.io.stdout.removeAllListeners('error').on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EPIPE' || failed) return;
      failed = true;
      const status = this.#sayOutputFailed(cause);
      process.once('exit', () => this.exitWith(Number(process.exitCode ?? 0) || status));
    });
    this.io.stderr.on('error', () => {});
  }

  /** @returns the exit status for it */
  #sayOutputFailed(cause: NodeJS.ErrnoException): number {
    const error = new AtomctlError('OUTPUT_FAILED', `Cannot write to stdout: ${systemReason(cause)}.`, {
      cause,
    });
    this.io.stderr.write(renderError(error, errorScreen(this.io, this.argv)));
    return this.exitStatusFor(error);
  }

  async #secrets(): Promise<string[]> {
    const typed = secretsIn(process.argv);
    try {
      const password = (await (await this.context.site()).database()).value.password.reveal();
      return password === '' ? typed : [password, encodeURIComponent(password), ...typed];
    } catch {
      return typed;
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
 * Sets RES_OPTIONS so that the system's resolver gives up on a silent name server after about `seconds`, rounded down
 * to whole seconds. Its default is 10 s or more, and a lookup cannot be cancelled: the process does not end before it.
 * A RES_OPTIONS of the user's own stays as it is.
 */
export function boundNameLookups(seconds: number, env: Record<string, string | undefined>): void {
  env.RES_OPTIONS ??= `timeout:${Math.max(1, Math.floor(seconds))} attempts:1`;
}
