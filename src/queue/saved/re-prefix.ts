import {functionName, splitFunctionName} from '../function-name.ts';
import {uniqueKey} from '../unique-key.ts';

interface KeyedJob {
  function: string;
  unique: string;
  payload: Buffer;
}

/**
 * The same job under another function prefix, with the key that AtoM would give it there: atomctl computes that key from the
 * job's log. A key that is not AtoM's stays.
 */
export function rePrefix<T extends KeyedJob>(job: T, prefix: string): T {
  const {jobClass} = splitFunctionName(job.function);
  const name = functionName(prefix, jobClass);
  const payload = job.payload.toString();
  const isAtoms = uniqueKey(job.function, payload) === job.unique;
  return {...job, function: name, unique: isAtoms ? uniqueKey(name, payload)! : job.unique};
}
