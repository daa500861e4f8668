import {createHash} from 'node:crypto';
import {readPhpJson} from '../php/json.ts';
import {phpSerialize} from '../php/serialize.ts';
import type {PhpValue} from '../php/value.ts';

/** Net_Gearman_Task's JOB_NORMAL: AtoM sets the background type only after the key has been made. */
const TASK_TYPE = '1';

/**
 * The unique key (32 hex digits) under which AtoM submitted a job, from its Gearman function and the JSON that
 * the worker logged after `Parameters: `; null if that is not JSON that PHP reads, as in a log that was cut.
 *
 * AtoM's client makes it `md5(function . serialize(parameters) . "1")`. The log holds what the worker decoded from the
 * payload: see keyMayDiffer.
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

/**
 * Whether AtoM's key may be another one than uniqueKey computes from the logged JSON, which does not tell everything
 * that PHP's serialize() does: json_encode writes the float `2.0` as `2`, and an object like an array with keys. Null if
 * the text is not JSON that PHP reads.
 */
export function keyMayDiffer(parametersJson: string): boolean | null {
  let parameters: PhpValue;
  try {
    parameters = readPhpJson(parametersJson);
  } catch {
    return null;
  }
  return parameters instanceof Map ? [...parameters.values()].some(isAmbiguous) : true;
}

/** An integer, an empty array, or an array with keys: PHP may have had a float or an object. */
function isAmbiguous(value: PhpValue): boolean {
  if (typeof value === 'bigint') return true;
  if (value instanceof Map) return true;
  return Array.isArray(value) && (value.length === 0 || value.some(isAmbiguous));
}
