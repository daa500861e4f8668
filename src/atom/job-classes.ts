/** What is special about a job class of AtoM. */
export interface JobClassFacts {
  /** The English name that `job.name` may hold instead of the class; in another language, its translation. */
  storedAs?: string;
  /** AtoM runs only the oldest running job of all such classes, so a lost one blocks every later one. */
  oneAtATime?: true;
}

/** The job classes that AtoM itself has; plugins add more. */
export const JOB_CLASSES: Readonly<Record<string, JobClassFacts>> = {
  arFindingAidJob: {},
  arInheritRightsJob: {storedAs: 'Inherit rights'},
  arUpdateEsActorRelationsJob: {},
  arCalculateDescendantDatesJob: {},
  arObjectMoveJob: {oneAtATime: true},
  arInformationObjectCsvExportJob: {storedAs: 'CSV export'},
  arInformationObjectXmlExportJob: {storedAs: 'XML export'},
  arActorCsvExportJob: {storedAs: 'CSV export'},
  arActorXmlExportJob: {storedAs: 'XML export'},
  arRepositoryCsvExportJob: {storedAs: 'CSV export'},
  qtSwordPluginWorker: {},
  arUpdatePublicationStatusJob: {},
  arFileImportJob: {oneAtATime: true},
  arXmlExportSingleFileJob: {},
  arGenerateReportJob: {},
  arUpdateEsIoDocumentsJob: {},
  arPhysicalObjectCsvHoldingsReportJob: {},
  arValidateCsvJob: {},
};

/** False for a plugin's class and for a name that is no class. */
export function isAtomClass(name: string): boolean {
  return Object.hasOwn(JOB_CLASSES, name);
}

/** Whether AtoM runs only the oldest running job of this class and its like: a younger one that is handed out first fails. */
export function isSerial(jobClass: string): boolean {
  return isAtomClass(jobClass) && JOB_CLASSES[jobClass]!.oneAtATime === true;
}

const STORED_NAMES = new Set(Object.values(JOB_CLASSES).map(({storedAs}) => storedAs));

/**
 * Whether a row with this `job.name` may be a job of this class.
 *
 * The name of a class means that class. An English stored name means one of its classes or a plugin's. Any other name
 * may be translated, a plugin's own or set by hand: it may mean every class.
 */
export function mayBeFunctionOf(jobName: string, jobClass: string): boolean {
  if (jobName === jobClass) return true;
  if (isAtomClass(jobName)) return false;
  const facts = isAtomClass(jobClass) ? JOB_CLASSES[jobClass] : undefined;
  return !STORED_NAMES.has(jobName) || facts === undefined || facts.storedAs === jobName;
}
