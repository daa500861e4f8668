import {createHash} from 'node:crypto';
import {type PhpValue, readPhpJson} from '../php/json.ts';
import {phpSerialize} from '../php/serialize.ts';

/** Net_Gearman_Task's JOB_NORMAL: AtoM sets the background type only after the key has been made. */
const TASK_TYPE = '1';

/**
 * The unique key (32 hex digits) under which AtoM submitted a job, from its Gearman function and the JSON that
 * the worker logged after `Parameters: `; null where that is no JSON that PHP reads, as in a log that was cut.
 *
 * AtoM's client makes it `md5(function . serialize(parameters) . "1")`. The log holds what the worker decoded
 * from the payload, so a float without a fraction, which json_encode writes as an integer, is the one thing
 * that the log cannot give back.
 */
export function uniqueKey(functionName: string, parametersJson: string): string | null {
  let parameters: PhpValue;
  try {
    parameters = readPhpJson(parametersJson);
  } catch {
    return null;
  }
  return createHash('md5')
    .update(`${functionName}${phpSerialize(parameters)}${TASK_TYPE}`)
    .digest('hex');
}
