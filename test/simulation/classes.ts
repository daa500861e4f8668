/** A kind of job, with what matters for its state. */
export interface JobClass {
  class: string;
  /** What `job.name` holds. */
  name: string;
  /** Waits for older serial jobs: arBaseJob::canBeFullyExecuted (AtoM 2.8.2). */
  serial: boolean;
  /** Is about one object, which the row and the payload name (QubitJob::runJob, `objectId`). */
  object: boolean;
  /** Does its work in a child `csv:import` (run, 2.8.2). */
  child: boolean;
  /**
   * What the logged JSON is worth for the key. `map`: an object or an integer, which PHP may have had as another type
   * (imports have `file`), although the key is right. `float`: `2.0` is logged as `2`, the key is wrong (run).
   * `cut`: longer than the log.
   */
  parameters: 'plain' | 'map' | 'float' | 'cut';
  /** `no-id`: WORK_FAIL before a line is logged (run). `forgets`: returns without saving the status, as a plugin may. */
  fault: 'none' | 'no-id' | 'forgets';
  /** Logs so much that the log is cut at 65,534 characters. */
  verbose: boolean;
}

const PLAIN = {
  serial: false,
  object: false,
  child: false,
  parameters: 'plain',
  fault: 'none',
  verbose: false,
} as const;

export const JOB_CLASSES: readonly JobClass[] = [
  {...PLAIN, class: 'arUpdatePublicationStatusJob', name: 'arUpdatePublicationStatusJob', object: true},
  {...PLAIN, class: 'arFileImportJob', name: 'arFileImportJob', serial: true, child: true, parameters: 'map'},
  {...PLAIN, class: 'arObjectMoveJob', name: 'arObjectMoveJob', object: true, serial: true},
  {...PLAIN, class: 'arInformationObjectCsvExportJob', name: 'CSV export'},
  {...PLAIN, class: 'arActorCsvExportJob', name: 'CSV export', verbose: true},
  {
    ...PLAIN,
    class: 'arUpdatePublicationStatusJob',
    name: 'arUpdatePublicationStatusJob',
    object: true,
    parameters: 'cut',
  },
  {...PLAIN, class: 'arScalePlugin', name: 'arScalePlugin', parameters: 'float'},
  {...PLAIN, class: 'arScalePlugin', name: 'Scale images', fault: 'forgets'},
  {
    ...PLAIN,
    class: 'arUpdatePublicationStatusJob',
    name: 'arUpdatePublicationStatusJob',
    object: true,
    fault: 'no-id',
  },
];

/**
 * gearmand offers the function first that was registered last (run, 1.1.20).
 */
export const ABILITIES: readonly string[] = [
  'arScalePlugin',
  'arUpdatePublicationStatusJob',
  'arActorCsvExportJob',
  'arInformationObjectCsvExportJob',
  'arObjectMoveJob',
  'arFileImportJob',
];

/**
 * The classes that a row's name allows; null if the name says nothing: a translated name or
 * a plugin's.
 */
export function classesOf(name: string): readonly string[] | null {
  if (name === 'CSV export')
    return ['arInformationObjectCsvExportJob', 'arActorCsvExportJob', 'arRepositoryCsvExportJob'];
  return ABILITIES.includes(name) ? [name] : null;
}
