import {expect, test} from 'vitest';
import {JOB_CLASSES} from '../../../../src/atom/job-classes.ts';
import {factsOf, SECOND_RUNS} from '../../../../src/jobs/retry/second-run.ts';
import {readPhpJson} from '../../../../src/php/json.ts';
import type {PhpArray} from '../../../../src/php/value.ts';

const array = (value: object) => readPhpJson(JSON.stringify(value)) as PhpArray;
const UPLOAD = {file: {name: 'a.csv', tmp_name: '/atom/uploads/tmp/TMP1'}};

test('the table has every class of AtoM, each with the source of its answers', () => {
  expect(Object.keys(SECOND_RUNS).sort()).toEqual(Object.keys(JOB_CLASSES).sort());
  expect(Object.values(SECOND_RUNS).filter(({source}) => source === '')).toEqual([]);
});

test.each([
  ['arUpdatePublicationStatusJob', {}, false],
  ['arCalculateDescendantDatesJob', {eventId: 7, eventTypeId: null}, false],
  ['arCalculateDescendantDatesJob', {eventId: null, eventTypeId: 111}, true],
  ['arCalculateDescendantDatesJob', {eventId: '0', eventTypeId: 111}, true],
  ['arUpdateEsIoDocumentsJob', {}, false],
  ['arUpdateEsActorRelationsJob', {}, false],
  ['arInformationObjectCsvExportJob', {}, false],
  ['arInformationObjectXmlExportJob', {}, false],
  ['arActorCsvExportJob', {}, false],
  ['arActorXmlExportJob', {}, false],
  ['arRepositoryCsvExportJob', {}, false],
  ['arPhysicalObjectCsvHoldingsReportJob', {}, false],
  ['arXmlExportSingleFileJob', {}, false],
  ['arGenerateReportJob', {}, false],
  ['arFindingAidJob', {}, false],
  ['arFindingAidJob', {uploadPath: '/atom/downloads/a.pdf'}, false],
  ['arFindingAidJob', {delete: true}, true],
  ['arValidateCsvJob', UPLOAD, false],
  ['arObjectMoveJob', {parentId: 3}, false],
  ['arInheritRightsJob', {overwrite_or_combine: 'overwrite'}, false],
  ['arInheritRightsJob', {overwrite_or_combine: 'combine'}, true],
  ['arFileImportJob', UPLOAD, true],
  ['qtSwordPluginWorker', {}, true],
  ['arPluginJob', {}, true],
  ['constructor', {}, true],
])('%s %j: whether a second run does harm is %s', (jobClass, parameters, harmful) => {
  expect(factsOf(jobClass).run(array(parameters)).harmful).toBe(harmful);
});

test.each([
  ['arFileImportJob', UPLOAD, ['/atom/uploads/tmp/TMP1']],
  ['arFileImportJob', {importType: 'csv'}, null],
  [
    'arFileImportJob',
    {importType: 'skos', location: 'file:///atom/uploads/tmp/T', ...UPLOAD},
    ['/atom/uploads/tmp/TMP1'],
  ],
  ['arFileImportJob', {importType: 'skos', location: 'file:///atom/T'}, ['/atom/T']],
  ['arFileImportJob', {importType: 'skos', location: 'https://example.org/terms'}, []],
  ['arFileImportJob', {importType: 'skos'}, null],
  ['arValidateCsvJob', UPLOAD, ['/atom/uploads/tmp/TMP1']],
  ['arValidateCsvJob', {}, null],
  ['arFindingAidJob', {uploadPath: '/atom/downloads/a.pdf'}, ['/atom/downloads/a.pdf']],
  ['arFindingAidJob', {}, []],
  ['qtSwordPluginWorker', {location: 'file:///dip/x'}, ['/dip/x']],
  ['qtSwordPluginWorker', {filename: '/dip/y.zip'}, ['/dip/y.zip']],
  ['qtSwordPluginWorker', {}, null],
])('%s %j reads %j', (jobClass, parameters, files) => {
  expect(factsOf(jobClass).files?.(array(parameters))).toEqual(files);
});

test('every other class reads no file', () => {
  const reading = Object.entries(SECOND_RUNS).filter(([, {files}]) => files !== undefined);
  expect(reading.map(([name]) => name).sort()).toEqual([
    'arFileImportJob',
    'arFindingAidJob',
    'arValidateCsvJob',
    'qtSwordPluginWorker',
  ]);
});
