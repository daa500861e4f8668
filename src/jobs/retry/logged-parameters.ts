import {readPhpJson, writePhpJson} from '../../php/json.ts';
import {type PhpArray, type PhpValue, phpString} from '../../php/value.ts';

/** What a job was started with, as its log shows it, or why that is not known: one sentence. */
export type LoggedParameters = {parameters: PhpArray; text: string} | {missing: string};

/**
 * The parameters that AtoM's worker logged as it began the job (since 2.7). The log is data from outside: a line counts only
 * if it is the job's own from its beginning, and if the parameters have the id and the name of the row.
 */
export function loggedParameters(log: string, {id, name}: {id: number; name: string}): LoggedParameters {
  if (log === '') return {missing: `Job ${id} never began, so its log does not have its parameters.`};
  const [, text] = ownLine(id, name).exec(log) ?? [];
  if (text === undefined)
    return {
      missing: `The log of job ${id} has no parameters: AtoM 2.7 and later log them at the start of a job.`,
    };
  const parameters = readArray(text);
  if (parameters === null)
    return {missing: `The parameters in the log of job ${id} are incomplete or cannot be read.`};
  const isOwn = phpString(parameters.get('id') ?? null) === String(id) && parameters.get('name') === name;
  if (!isOwn) return {missing: `The parameters in the log of job ${id} are not those of its row.`};
  return {parameters, text};
}

/** job.name is free text: it may have line breaks, and may look like a log line. */
function ownLine(id: number, name: string): RegExp {
  const literal = name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(
    `^\\[\\w{1,10}\\] \\[\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\] Job ${id} "${literal}": Parameters: (\\{.*)$`,
    'm',
  );
}

function readArray(text: string): PhpArray | null {
  let value: PhpValue;
  try {
    value = readPhpJson(text);
    // AtoM's own json_encode wrote them. What it would refuse, such as 1e999, could not be sent.
    writePhpJson(value);
  } catch {
    return null;
  }
  return value instanceof Map ? value : null;
}
