import {expect, test} from 'vitest';
import {classOfJob} from '../../../../src/jobs/retry/job-class.ts';
import {readPhpJson} from '../../../../src/php/json.ts';
import type {PhpArray} from '../../../../src/php/value.ts';

test.each([
  ['arFileImportJob', {objectType: 'informationObject'}, 'arFileImportJob'],
  ['Inherit rights', {overwrite_or_combine: 'combine'}, 'arInheritRightsJob'],
  ['Vererbung', {overwrite_or_combine: 'overwrite'}, 'arInheritRightsJob'],
  ['CSV export', {objectType: 'informationObject'}, 'arInformationObjectCsvExportJob'],
  ['Exportación XML', {objectType: 'informationObject'}, 'arInformationObjectXmlExportJob'],
  ['Digital object and CSV export', {objectType: 'actor'}, 'arActorCsvExportJob'],
  ['XML export', {objectType: 'actor'}, 'arActorXmlExportJob'],
  ['CSV export', {objectType: 'repository'}, 'arRepositoryCsvExportJob'],
  ['XML export', {objectType: 'repository'}, null],
  ['Datenexport – alle', {objectType: 'actor'}, null],
  ['CSV出力', {objectType: 'actor'}, 'arActorCsvExportJob'],
  ['CSV and XML export', {objectType: 'actor'}, null],
  ['CSV export', {}, null],
  ['arPluginJob', {}, 'arPluginJob'],
  ['arPluginCsvJob', {objectType: 'actor'}, 'arPluginCsvJob'],
  ['My plugin', {}, null],
  ['x\n] Job 5', {}, null],
])('%s with %j is %s', (name, parameters, jobClass) => {
  expect(classOfJob(name, readPhpJson(JSON.stringify(parameters)) as PhpArray)).toBe(jobClass);
});
