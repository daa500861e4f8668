import {expect, it} from 'vitest';
import {JOB_CLASSES, mayBeFunctionOf} from '../../../src/atom/job-classes.ts';

const PLUGIN = 'myPluginJob';

/** The classes that a row of this name may belong to, of AtoM's and one plugin's. */
function candidates(jobName: string): string[] {
  return [...Object.keys(JOB_CLASSES), PLUGIN]
    .filter((jobClass) => mayBeFunctionOf(jobName, jobClass))
    .sort();
}

const EXPORTS = {
  csv: ['arActorCsvExportJob', 'arInformationObjectCsvExportJob', 'arRepositoryCsvExportJob'],
  xml: ['arActorXmlExportJob', 'arInformationObjectXmlExportJob'],
};

it.each([
  ['arFileImportJob', ['arFileImportJob']],
  ['arInheritRightsJob', ['arInheritRightsJob']],
  ['arActorCsvExportJob', ['arActorCsvExportJob']],
  ['Inherit rights', ['arInheritRightsJob', PLUGIN]],
  ['CSV export', [...EXPORTS.csv, PLUGIN]],
  ['XML export', [...EXPORTS.xml, PLUGIN]],
  [PLUGIN, [...Object.keys(JOB_CLASSES), PLUGIN].sort()],
  ['Hériter des droits', [...Object.keys(JOB_CLASSES), PLUGIN].sort()],
])('a row named %s', (jobName, classes) => {
  expect(candidates(jobName)).toEqual(classes);
});

it('two classes run one at a time', () => {
  const alone = Object.keys(JOB_CLASSES).filter((jobClass) => JOB_CLASSES[jobClass]?.oneAtATime);
  expect(alone).toEqual(['arObjectMoveJob', 'arFileImportJob']);
});
