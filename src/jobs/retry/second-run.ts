/**
 * What a second run of a job does, by its class: the table of jobs:retry. Each `source` names the code of AtoM in which the
 * answer was read, in 2.6.4 and 2.8.2 alike; "run" means that AtoM's own worker was seen doing it.
 */
import {isTruthy, lookUp, type PhpArray, phpString} from '../../php/value.ts';

export interface SecondRun {
  /** What the job does if it runs again, one sentence. */
  text: string;
  /** True if work would be done twice, or something newer would be lost: then a retry needs --force. */
  harmful: boolean;
}

export interface ClassFacts {
  run: (parameters: PhpArray) => SecondRun;
  /** The files that the job reads, as its parameters name them; null if it needs one and they name none. */
  files?: (parameters: PhpArray) => string[] | null;
  /** Where such a job is started: `in AtoM: ` and the page. */
  where: string;
  source: string;
}

const harmless = (text: string) => (): SecondRun => ({text, harmful: false});
const harmful = (text: string) => (): SecondRun => ({text, harmful: true});

const IN_ATOM = 'in AtoM';

const EXPORT: ClassFacts = {
  run: harmless('It writes a new export with its own download.'),
  where: 'in AtoM: Clipboard > Export',
  source: 'arZipFileDownload::getJobDownloadFilename: the file is named for the id of the job',
};

export const SECOND_RUNS: Readonly<Record<string, ClassFacts>> = {
  arUpdatePublicationStatusJob: {
    run: harmless('It sets the same publication status again.'),
    where: 'in AtoM: Update publication status, in the menu More of its description',
    source: 'arUpdatePublicationStatusJob::runJob: an UPDATE of the status of all descendants (run)',
  },
  arCalculateDescendantDatesJob: {
    run: (parameters) =>
      isTruthy(parameters.get('eventId') ?? null)
        ? {text: 'It calculates the dates of the same event again.', harmful: false}
        : {
            text: 'It adds an event with the calculated dates; the event of an earlier run stays.',
            harmful: true,
          },
    where: 'in AtoM: Calculate dates, in the menu of its description',
    source:
      'arCalculateDescendantDatesJob::runJob: without eventId it saves a new QubitEvent (run with eventId)',
  },
  arUpdateEsIoDocumentsJob: {
    run: harmless('It updates the same documents of the search index again.'),
    where: 'in AtoM: save the record again',
    source: 'arUpdateEsIoDocumentsJob::runJob: updates of the search index alone (run)',
  },
  arUpdateEsActorRelationsJob: {
    run: harmless('It updates the same documents of the search index again.'),
    where: 'in AtoM: save the record again',
    source: 'arUpdateEsActorRelationsJob::runJob: partial updates of the search index alone',
  },
  arInformationObjectCsvExportJob: EXPORT,
  arInformationObjectXmlExportJob: EXPORT,
  arActorCsvExportJob: EXPORT,
  arActorXmlExportJob: EXPORT,
  arRepositoryCsvExportJob: EXPORT,
  arPhysicalObjectCsvHoldingsReportJob: {
    ...EXPORT,
    where: 'in AtoM: Manage > Physical storage, Export storage report',
  },
  arXmlExportSingleFileJob: {
    run: harmless('It writes the XML of the same description again.'),
    where: 'in AtoM: Export, on the page of its description',
    source: 'arXmlExportSingleFileJob::exportResource: the file in the cache is replaced',
  },
  arGenerateReportJob: {
    run: harmless('It writes the same report again, in place of the old one.'),
    where: 'in AtoM: Reports, on the page of its description',
    source: 'arGenerateReportJob::getFilename: the file is named for slug, type and format',
  },
  arFindingAidJob: {
    run: (parameters) => {
      if (isTruthy(parameters.get('delete') ?? null))
        return {
          text: 'It deletes the finding aid of its description, also if it was created or uploaded after the first run.',
          harmful: true,
        };
      if (isSet(parameters, 'uploadPath'))
        return {text: 'It registers the same uploaded finding aid again.', harmful: false};
      return {text: 'It generates the finding aid again, in place of the old one.', harmful: false};
    },
    files: (parameters) => (isSet(parameters, 'uploadPath') ? [textAt(parameters, 'uploadPath')] : []),
    where: 'in AtoM: Finding aid, on the page of its description',
    source:
      'arFindingAidJob::runJob: delete, uploadPath (moved to downloads before the job begins), or generate',
  },
  arValidateCsvJob: {
    run: harmless('It validates the same file again.'),
    files: (parameters) => (isSet(parameters, 'file') ? [textAt(parameters, 'file', 'tmp_name')] : null),
    where: 'in AtoM: Import > Validate CSV',
    source: 'arValidateCsvJob::runJob: reads the upload and leaves it there (run)',
  },
  arObjectMoveJob: {
    run: harmless('It moves the object again; if the object is already there, AtoM changes nothing.'),
    where: 'in AtoM: Move, in the menu More of its description',
    source:
      'arObjectMoveJob::runJob: no save if the parent is the same, an error if the position is another one',
  },
  arInheritRightsJob: {
    run: (parameters) =>
      parameters.get('overwrite_or_combine') === 'overwrite'
        ? {text: 'It replaces the rights of the descendants again.', harmful: false}
        : {text: 'It adds the same rights to the descendants a second time.', harmful: true},
    where: 'in AtoM: Manage rights inheritance, in the menu More of its description',
    source: 'arInheritRightsJob::runJob: deletes the rights first only if it is to overwrite, then copies',
  },
  arFileImportJob: {
    run: harmful(
      'It imports again from the beginning: records that an earlier run imported would exist twice.',
    ),
    files: importFiles,
    where: 'in AtoM: Import > CSV or XML',
    source:
      'arFileImportJob::runJob: imports, then unlinks file.tmp_name; a failed import keeps what it imported (run)',
  },
  qtSwordPluginWorker: {
    run: harmful('It imports the package again: records that an earlier run added would exist twice.'),
    files: (parameters) => {
      if (isSet(parameters, 'location')) return [localPath(textAt(parameters, 'location'))];
      return isSet(parameters, 'filename') ? [textAt(parameters, 'filename')] : null;
    },
    where: 'from Archivematica',
    source: 'qtPackageExtractorBase::run: takes in location or filename, then deletes it',
  },
};

const UNKNOWN_CLASS: ClassFacts = {
  run: harmful('It belongs to a plugin, and atomctl does not know what a second run does.'),
  where: IN_ATOM,
  source: '',
};

/** The facts of a class; a plugin's class counts as harmful. */
export function factsOf(jobClass: string): ClassFacts {
  return Object.hasOwn(SECOND_RUNS, jobClass) ? SECOND_RUNS[jobClass]! : UNKNOWN_CLASS;
}

/** For a translated name that does not tell the class: "CSV export" keeps the abbreviation in every language. */
export function whereByName(name: string): string {
  return /csv|xml/i.test(name) ? EXPORT.where : IN_ATOM;
}

/** The files that the job reads; null if it needs one and its parameters name none. */
export function namedFiles({files}: ClassFacts, parameters: PhpArray): string[] | null {
  const paths = files === undefined ? [] : files(parameters);
  return paths === null || paths.includes('') ? null : paths;
}

/** An import of a taxonomy (SKOS) reads `location`, which is an uploaded file or a URL. */
function importFiles(parameters: PhpArray): string[] | null {
  const location = textAt(parameters, 'location');
  if (parameters.get('importType') === 'skos' && !isSet(parameters, 'file'))
    return location === '' ? null : location.startsWith('file://') ? [localPath(location)] : [];
  const file = textAt(parameters, 'file', 'tmp_name');
  return file === '' ? null : [file];
}

function localPath(location: string): string {
  return location.replace(/^file:\/\//, '');
}

/** PHP's isset. */
function isSet(parameters: PhpArray, key: string): boolean {
  return (parameters.get(key) ?? null) !== null;
}

function textAt(parameters: PhpArray, ...keys: string[]): string {
  return phpString(lookUp(parameters, keys) ?? null);
}
