import {createHash} from 'node:crypto';
import {uniqueKey} from '../../../src/queue/unique-key.ts';
import type {JobClass} from '../classes.ts';
import type {Payload} from '../gearmand.ts';

/** The rows of the model count from 100: a real site has other objects with such ids. */
export const FIRST_ID = 100_000;

/** Longer than the log, so that the parameters are cut there. */
const TOO_LONG = 'x'.repeat(70_000);

/** The parameters that AtoM sends, as JSON. Values are texts, but for those that make a key doubtful or wrong. */
export function realPayload(
  {jobId, name, objectId, upload}: Payload,
  job: Pick<JobClass, 'class' | 'parameters' | 'fault'>,
): string {
  const parameters = {
    ...(objectId === null ? {} : {objectId: String(objectId)}),
    ...(job.class === 'arUpdatePublicationStatusJob' && job.fault !== 'no-id'
      ? {publicationStatusId: '160'}
      : {}),
    ...(job.class.endsWith('ExportJob') ? {params: 'levels'} : {}),
    ...(job.parameters === 'cut' ? {filter: TOO_LONG} : {}),
    ...(job.parameters === 'float' ? {scale: 2} : {}),
    ...(upload === null
      ? {}
      : {importType: 'csv', file: {name: 'records.csv', type: 'text/csv', tmp_name: upload, error: 0}}),
    name,
    id: String(FIRST_ID + jobId),
  };
  return JSON.stringify(parameters).replaceAll('/', '\\/');
}

/** AtoM's key; for a float (`2.0`, which JSON has as `2`) it is not that of the payload. */
export function realKey(name: string, payload: string, job: Pick<JobClass, 'parameters'>): string {
  return job.parameters === 'float'
    ? createHash('md5').update(`${name}${payload}2.0`).digest('hex')
    : uniqueKey(name, payload)!;
}
