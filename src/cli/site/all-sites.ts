import {Flags} from '@oclif/core';
import {AtomctlError, EXIT} from '../../errors.ts';
import {errorDocument, errorSentences} from '../../render/error.ts';
import {sanitizeLine} from '../../render/sanitize.ts';
import {paint, type Screen} from '../../render/screen.ts';
import type {Context} from '../context.ts';
import {writeSentences} from '../terminal/io.ts';

/** A command's result for one site. */
export interface Answer {
  /** What `--json` prints. */
  document: object;
  /** Ends with its own newline. */
  text: (screen: Screen) => string | Promise<string>;
  exitStatus: number;
}

/** Asks one site. */
export type Ask = (context: Context, notice: (text: string) => void) => Promise<Answer>;

/** The commands that have the flag below; every other refuses it with a sentence. */
export const ALL_SITES_COMMANDS = [
  'jobs:list',
  'jobs:stats',
  'jobs:export-csv',
  'queue:status',
  'queue:workers',
  'worker:status',
  'doctor',
  'config',
];

/** `--all-sites`. @param exclusive flags that make sense for one site only */
export function allSitesFlag(exclusive: string[] = []) {
  return Flags.boolean({
    summary: 'Ask every site of the configuration file; the exit status is the worst of them.',
    helpGroup: 'SITE',
    exclusive,
  });
}

export interface AskOptions {
  everySite: boolean;
  notice: (text: string) => void;
  stderr: NodeJS.WriteStream;
}

/**
 * The answer of this site, or of every site that the configuration names. These are asked at once, and each answer is
 * labelled with its site. A site that fails has its error in its place. The exit status is the worst of all.
 * @throws AtomctlError what `ask` throws for this site; USAGE if there are no sites to ask
 */
export async function askSites(context: Context, options: AskOptions, ask: Ask): Promise<Answer> {
  if (!options.everySite) return ask(context, options.notice);
  const contexts = [...(await context.everySite())];
  const answers = await Promise.all(
    contexts.map(([site, itsContext]) => answerOf(site, itsContext, options, ask)),
  );
  return {
    document: {sites: answers.map(siteDocument)},
    text: (screen) => renderAnswers(answers, screen, options.stderr),
    exitStatus: Math.max(...answers.map(({exitStatus}) => exitStatus), EXIT.ok),
  };
}

/** A part of what is read, and the site that it is of; null if no site was named. */
export interface SitePart<T> {
  site: string | null;
  part: T;
}

/**
 * What `read` gives for this site, or for each site that the configuration names, one after the other.
 * @param failed is told of a site that fails; if it returns, the next site follows
 * @throws AtomctlError what `read` throws for this site; USAGE if there are no sites to ask
 */
export async function* readSites<T>(
  context: Context,
  {everySite, notice}: Omit<AskOptions, 'stderr'>,
  read: (context: Context, notice: (text: string) => void) => AsyncIterable<T>,
  failed: (site: string, error: AtomctlError) => void,
): AsyncIterable<SitePart<T>> {
  if (!everySite) {
    for await (const part of read(context, notice)) yield {site: null, part};
    return;
  }
  for (const [site, itsContext] of await context.everySite()) {
    try {
      for await (const part of read(itsContext, (text) => notice(`${site}: ${text}`))) yield {site, part};
    } catch (error) {
      if (!(error instanceof AtomctlError)) throw error;
      failed(site, error);
    } finally {
      await itsContext.dispose();
    }
  }
}

interface SiteAnswer {
  site: string;
  exitStatus: number;
  /** Exactly one of answer and error is not null. */
  answer: Answer | null;
  error: AtomctlError | null;
}

async function answerOf(site: string, context: Context, {notice}: AskOptions, ask: Ask): Promise<SiteAnswer> {
  try {
    const answer = await ask(context, (text) => notice(`${site}: ${text}`));
    return {site, exitStatus: answer.exitStatus, answer, error: null};
  } catch (error) {
    if (!(error instanceof AtomctlError)) throw error;
    return {site, exitStatus: error.exitStatus, answer: null, error};
  } finally {
    await context.dispose();
  }
}

function siteDocument({site, exitStatus, answer, error}: SiteAnswer): object {
  return {site, exitStatus, result: answer?.document ?? null, error: error && errorDocument(error)};
}

/** Each answer under its site's name. Errors go to stderr, labelled too. */
async function renderAnswers(
  answers: readonly SiteAnswer[],
  screen: Screen,
  stderr: NodeJS.WriteStream,
): Promise<string> {
  const blocks: string[] = [];
  for (const {site, answer, error} of answers) {
    const text = answer === null ? '' : await answer.text(screen);
    // Under --quiet a site in which all is well has nothing to say.
    if (text !== '') blocks.push(`${heading(site, screen)}\n${text}`);
    if (error !== null) writeSentences(stderr, siteError(site, error));
  }
  return blocks.join('\n');
}

/** A site's error, as one line on stderr. */
export function siteError(site: string, error: AtomctlError): string {
  return `Error: ${sanitizeLine(site)}: ${sanitizeLine(errorSentences(error))}\n`;
}

function heading(site: string, screen: Screen): string {
  return paint(screen, 'bold', `== ${sanitizeLine(site)} ==`);
}
