import {Flags} from '@oclif/core';
import {AtomctlError, EXIT} from '../errors.ts';
import {sanitizeBlock, sanitizeLine} from '../render/sanitize.ts';
import {paint, type Screen} from '../render/screen.ts';
import type {Context} from './context.ts';

/** What a command has to say of one site. */
export interface Answer {
  /** What `--json` prints. */
  document: object;
  /** Ends with its own newline. */
  text: (screen: Screen) => string | Promise<string>;
  exitStatus: number;
}

/** Asks one site. */
export type Ask = (context: Context, notice: (text: string) => void) => Promise<Answer>;

/**
 * `--all-sites`, with `--every-site` as its other name; `queue:status`, where `--all-sites` means other sites'
 * functions on the same servers, has only the latter.
 * @param exclusive flags that make sense for one site alone
 */
export function allSitesFlag(exclusive: string[], aliases = ['every-site']) {
  return Flags.boolean({
    summary:
      'Ask every site that the configuration file names, side by side; ends with the worst exit status.',
    aliases,
    exclusive,
  });
}

export interface AskOptions {
  everySite: boolean;
  notice: (text: string) => void;
  stderr: NodeJS.WritableStream;
}

/**
 * The answer of the site at hand, or that of every site which the configuration names: all are asked at once, each
 * is labelled, one that fails says so in its place, and the worst exit status counts.
 * @throws AtomctlError what `ask` throws of the site at hand; USAGE where there are no sites to ask
 */
export async function askSites(context: Context, options: AskOptions, ask: Ask): Promise<Answer> {
  if (!options.everySite) return ask(context, options.notice);
  const contexts = [...(await context.everySite())];
  const answers = await Promise.all(
    contexts.map(([site, itsContext]) => answerOf(site, itsContext, options, ask)),
  );
  return {
    document: {sites: answers.map(documentOf)},
    text: (screen) => renderAnswers(answers, screen, options.stderr),
    exitStatus: Math.max(...answers.map(({exitStatus}) => exitStatus), EXIT.ok),
  };
}

interface SiteAnswer {
  site: string;
  exitStatus: number;
  /** One of the two. */
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

function documentOf({site, exitStatus, answer, error}: SiteAnswer): object {
  const {code, message, hint = null} = error ?? {};
  return {
    site,
    exitStatus,
    result: answer?.document ?? null,
    error: error === null ? null : {code, message, hint},
  };
}

/** Each answer under its site's name. What went wrong goes to stderr, labelled too, as all errors do. */
async function renderAnswers(
  answers: readonly SiteAnswer[],
  screen: Screen,
  stderr: NodeJS.WritableStream,
): Promise<string> {
  const blocks: string[] = [];
  for (const {site, answer, error} of answers) {
    if (answer !== null) blocks.push(`${heading(site, screen)}\n${await answer.text(screen)}`);
    if (error === null) continue;
    const sentence = [error.message, error.hint].filter(Boolean).join(' ');
    stderr.write(`Error: ${sanitizeLine(site)}: ${sanitizeBlock(sentence)}\n`);
  }
  return blocks.join('\n');
}

function heading(site: string, screen: Screen): string {
  return paint(screen, 'bold', `== ${sanitizeLine(site)} ==`);
}
