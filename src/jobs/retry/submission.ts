import {writePhpJson} from '../../php/json.ts';
import type {PhpArray} from '../../php/value.ts';
import {uniqueKey} from '../../queue/unique-key.ts';
import type {Submission} from './submit.ts';

/** The payload of a job that repeats another: its parameters with the id of the new row, last and as a string. */
export function payloadOf(parameters: PhpArray, newId: number): string {
  const sent: PhpArray = new Map(parameters);
  sent.delete('id');
  sent.set('id', String(newId));
  return writePhpJson(sent);
}

/** The Gearman job as AtoM sends it, byte for byte. */
export function submissionOf(parameters: PhpArray, newId: number, functionName: string): Submission {
  const payload = payloadOf(parameters, newId);
  return {function: functionName, unique: uniqueKey(functionName, payload)!, payload};
}
