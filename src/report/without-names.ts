import type {JobDetails} from '../jobs/model/job.ts';
import {isCut} from '../jobs/model/log.ts';
import type {JournalEntry} from '../systemd/journal.ts';
import type {Redactor} from './redact.ts';

/** What AtoM writes before a message. */
const LOG_BEGINNING = /^\[\w+\] \[[\d :-]+\] /;

/**
 * The job without names. Its user and its object have fields of their own; in the log, a name may be broken over the
 * messages of several lines. @returns a copy
 */
export function jobWithoutNames(job: JobDetails, redactor: Redactor): JobDetails {
  return {
    ...job,
    user: job.user && redactor.field('user', job.user),
    objectSlug: job.objectSlug && redactor.field('title', job.objectSlug),
    log: logWithoutNames(job, redactor),
  };
}

function logWithoutNames({log, id, name}: JobDetails, redactor: Redactor): string {
  // The end of a cut log may be the beginning of a name.
  const whole = isCut(log) ? log.replace(/[^\n]*$/, '') : log;
  const lines = whole.replaceAll(`] Job ${id} "${name}": `, '] ').split('\n');
  const beginnings = lines.map((line) => LOG_BEGINNING.exec(line)?.[0] ?? '');
  const messages = lines.map((line, at) => line.slice(beginnings[at]!.length));
  const redacted = redactor.redact(messages.join('\n')).split('\n');
  return redacted.map((message, at) => beginnings[at]! + message).join('\n');
}

/** The entries without names: a name may be broken over several of them. */
export function journalWithoutNames(entries: readonly JournalEntry[], redactor: Redactor): JournalEntry[] {
  const messages = entries.map(({message}) => message.replace(/[\r\n]+/g, ' '));
  const redacted = redactor.redact(messages.join('\n')).split('\n');
  return entries.map((entry, at) => ({...entry, message: redacted[at]!}));
}
