import {execFileSync} from 'node:child_process';
import {expect, test} from 'vitest';
import {submissionOf} from '../../../../src/jobs/retry/submission.ts';
import {readPhpJson} from '../../../../src/php/json.ts';
import type {PhpArray} from '../../../../src/php/value.ts';
import {phpIsInstalled} from '../../../support/php/installed-php.ts';

const PREFIX = '0123456789abcdef0123456789abcdef';

/** Parameters as AtoM's classes get them, without the id, and what PHP 8.2 made of them with the id "777". */
const VECTORS = [
  {
    jobClass: 'arFileImportJob',
    parameters: String.raw`{"index":true,"doCsvTransform":false,"skip-unmatched":false,"skip-matched":false,"parentId":null,"objectType":"informationObject","importType":"csv","update":"import-as-new","repositorySlug":"","collectionSlug":null,"file":{"name":"Fonds \u00c9t\u00e9 \"1\".csv","type":"text\/csv","tmp_name":"\/usr\/share\/nginx\/atom\/uploads\/tmp\/TMPab12","error":0,"size":2048},"name":"arFileImportJob"`,
    unique: '6e01140401767e4adbc84779262b3597',
  },
  {
    jobClass: 'arInformationObjectCsvExportJob',
    parameters:
      '{"params":{"fromClipboard":true,"slugs":["smith-fonds","a-b"]},"current-level-only":true,"public":false,"objectType":"informationObject","levels":[],"nonVisibleElementsIncluded":{"isad_archival_history":1},"name":"CSV export"',
    unique: 'b670e41e920f1095bf8de595b920964b',
  },
  {
    jobClass: 'arInheritRightsJob',
    parameters: String.raw`{"all_or_digital_only":"all","overwrite_or_combine":"combine","objectId":"512","name":"Hereda derechos","description":"Los hijos heredan: \ud83d\ude00 a\/b <c>\n\ttab"`,
    unique: '1ff904dd21c913bab8384c9f33fa7998',
  },
  {
    jobClass: 'arCalculateDescendantDatesJob',
    parameters: '{"objectId":512,"eventId":null,"eventTypeId":"111","name":"arCalculateDescendantDatesJob"',
    unique: '6c96b1b0a8f0169a8075e67d0d416bf4',
  },
  {
    jobClass: 'arUpdateEsIoDocumentsJob',
    parameters:
      '{"ioIds":{"3":512,"7":513},"updateIos":true,"updateDescendants":false,"objectId":512,"description":"Updating","name":"arUpdateEsIoDocumentsJob"',
    unique: 'e5ba3ff8aa751c88d29f9cb85c722c2d',
  },
  {
    jobClass: 'arPhysicalObjectCsvHoldingsReportJob',
    parameters:
      '{"suppressEmpty":null,"ratio":0.1,"large":1.0e+25,"big":9223372036854775807,"name":"arPhysicalObjectCsvHoldingsReportJob"',
    unique: '589043358090c1021b4fe7b3c5c5bcde',
  },
];

const logged = (parameters: string) => readPhpJson(`${parameters},"id":"449"}`) as PhpArray;

test.each(VECTORS)(
  'the Gearman job of $jobClass is byte for byte what AtoM sends',
  ({jobClass, parameters, unique}) => {
    const name = `${PREFIX}-${jobClass}`;
    expect(submissionOf(logged(parameters), 777, name)).toEqual({
      function: name,
      unique,
      payload: `${parameters},"id":"777"}`,
    });
  },
);

test('the id is the last, also if the log has it elsewhere', () => {
  const {payload} = submissionOf(readPhpJson('{"id":"449","name":"x"}') as PhpArray, 777, 'f');
  expect(payload).toBe('{"name":"x","id":"777"}');
});

/** The lines of QubitJob::runJob and Net_Gearman_Task that make payload and key. */
const PHP = `
  $made = [];
  foreach (json_decode(stream_get_contents(STDIN), true) as [$function, $text]) {
    $parameters = json_decode($text, true);
    $parameters['id'] = '777';
    $made[] = ['function' => $function, 'payload' => json_encode($parameters), 'unique' => md5($function.serialize($parameters).'1')];
  }
  echo json_encode($made);`;

test("the vectors are PHP's own", ({skip}) => {
  skip(!phpIsInstalled(), 'php is not installed');
  const jobs = VECTORS.map(({jobClass, parameters}) => [`${PREFIX}-${jobClass}`, `${parameters}}`]);
  const made = JSON.parse(execFileSync('php', ['-n', '-r', PHP], {input: JSON.stringify(jobs)}).toString());
  expect(
    VECTORS.map(({jobClass, parameters}) => submissionOf(logged(parameters), 777, `${PREFIX}-${jobClass}`)),
  ).toEqual(made);
});
