import {expect, test} from 'vitest';
import {runAgain} from '../../../../src/jobs/retry/run-again.ts';

const ID = 5;

/** The log of a job that was begun with these parameters. */
function logOf(name: string, parameters: object): string {
  const line = (message: string) => `[info] [2026-03-04 13:05:01] Job ${ID} "${name}": ${message}\n`;
  return line('Job started.') + line(`Parameters: ${JSON.stringify({...parameters, name, id: String(ID)})}`);
}

const RETRY_OF_3 = {
  text: 'Retry of job 3, started with atomctl by root@atom on 2026-03-04 13:05:01.',
  error: false,
};
const COMMAND = {command: 'atomctl jobs:retry 5'};

test.each([
  ['a class that runs twice without harm', 'arFindingAidJob', {objectId: 512}, COMMAND],
  ['an export whose parameters show its class', 'CSV export', {objectType: 'actor'}, COMMAND],
  [
    'an export whose class is not known',
    'CSV export',
    {objectType: 'x'},
    {instead: expect.stringMatching(/do not show its class\. Start it again in AtoM: Clipboard > Export\.$/)},
  ],
  [
    'an import, which would import twice',
    'arFileImportJob',
    {file: {tmp_name: '/tmp/a.csv'}},
    {
      instead: expect.stringMatching(
        /would exist twice\. atomctl jobs:retry 5 says whether its file is still there\.$/,
      ),
    },
  ],
  [
    'a validation without a file',
    'arValidateCsvJob',
    {},
    {instead: expect.stringMatching(/needs one\. Start it again in AtoM: Import > Validate CSV\.$/)},
  ],
])('%s: jobs:retry is advised only if it is not refused', (_what, name, parameters, advice) => {
  expect(runAgain({id: ID, name, notes: [], log: logOf(name, parameters)})).toEqual(advice);
});

test.each([
  ['arFileImportJob', 'in AtoM: Import > CSV or XML'],
  ['arFindingAidJob', 'in AtoM: Finding aid, on the page of its description'],
  ['qtSwordPluginWorker', 'from Archivematica'],
  ['Export CSV', 'in AtoM: Clipboard > Export'],
  ['arPluginJob', 'in AtoM'],
  ['Droits hérités', 'in AtoM'],
])('%s, which never began, is started again %s', (name, where) => {
  expect(runAgain({id: ID, name, notes: [], log: ''})).toEqual({
    instead: `Job 5 never began, so its log does not have its parameters. Start it again ${where}.`,
  });
});

test('a retry that never began: the job that it repeats is run again', () => {
  expect(runAgain({id: ID, name: 'arFindingAidJob', notes: [RETRY_OF_3], log: ''})).toEqual({
    command: 'atomctl jobs:retry 3',
  });
});
