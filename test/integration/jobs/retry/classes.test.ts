import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {beforeAll, expect, test} from 'vitest';
import {parseAddress} from '../../../../src/gearman/address.ts';
import {connectServers} from '../../../../src/gearman/server.ts';
import {createKillSite} from '../../../support/jobs/kill-site.ts';
import {insertLogged, type LoggedJob, phpJson, previewAt, retryAt} from '../../../support/jobs/retry-site.ts';
import {logOf} from '../../../support/live.ts';
import {startWorker, until} from '../../../support/sandbox.ts';
import {TYPE} from '../../../support/servers/gearman-wire.mjs';
import {type RecordingProxy, recordGearman} from '../../../support/servers/recording-proxy.ts';
import {uploadCsv} from '../../../support/servers/submit-job.ts';

const at = await createKillSite();
let proxy: RecordingProxy;
/** The way to gearmand on which every packet is recorded. */
let recorded: typeof at;

beforeAll(async () => {
  proxy = await recordGearman(at.gearmand.endpoint);
  const servers = await connectServers([parseAddress(proxy.endpoint, 'the test')], {timeoutSeconds: 5});
  recorded = {...at, sources: {...at.sources, servers}};
  return () => {
    for (const each of servers) if ('server' in each) each.server.close();
    proxy.close();
  };
});

interface Case extends LoggedJob {
  jobClass: string;
  /** The text if the work would be done twice. */
  twice?: RegExp;
  upload?: true;
}

const PARAMS = {params: {fromClipboard: true, slugs: ['smith-fonds', 'été/1']}, levels: []};

const CASES: Case[] = [
  {jobClass: 'arUpdatePublicationStatusJob', parameters: {objectId: 512, publicationStatusId: '160'}},
  {jobClass: 'arCalculateDescendantDatesJob', parameters: {objectId: 512, eventId: '516', eventTypeId: null}},
  {
    jobClass: 'arCalculateDescendantDatesJob',
    parameters: {objectId: 512, eventId: null, eventTypeId: '111'},
    twice: /adds an event/,
  },
  {
    jobClass: 'arUpdateEsIoDocumentsJob',
    parameters: {ioIds: [512], updateIos: true, updateDescendants: false, objectId: 512},
  },
  {jobClass: 'arUpdateEsActorRelationsJob', parameters: {actorIds: ['501'], objectId: 501}},
  {
    jobClass: 'arInformationObjectCsvExportJob',
    name: 'CSV export',
    parameters: {...PARAMS, objectType: 'informationObject'},
  },
  {
    jobClass: 'arInformationObjectXmlExportJob',
    name: 'Exportación XML',
    parameters: {...PARAMS, objectType: 'informationObject'},
  },
  {jobClass: 'arActorCsvExportJob', name: 'CSV export', parameters: {...PARAMS, objectType: 'actor'}},
  {jobClass: 'arActorXmlExportJob', name: 'XML export', parameters: {...PARAMS, objectType: 'actor'}},
  {
    jobClass: 'arRepositoryCsvExportJob',
    name: 'CSV export',
    parameters: {...PARAMS, objectType: 'repository'},
  },
  {jobClass: 'arPhysicalObjectCsvHoldingsReportJob', parameters: {suppressEmpty: null, holdingType: ''}},
  {jobClass: 'arXmlExportSingleFileJob', parameters: {objectId: 512, format: 'ead'}},
  {
    jobClass: 'arGenerateReportJob',
    parameters: {objectId: 512, reportType: 'itemList', reportTypeLabel: 'Item list', reportFormat: 'csv'},
  },
  {
    jobClass: 'arFindingAidJob',
    parameters: {objectId: 512, description: 'Generating finding aid for: Ada Smith fonds'},
  },
  {jobClass: 'arFindingAidJob', parameters: {objectId: 512, delete: true}, twice: /deletes the finding aid/},
  {jobClass: 'arValidateCsvJob', upload: true},
  {jobClass: 'arObjectMoveJob', parameters: {objectId: 513, parentId: 512}},
  {
    jobClass: 'arInheritRightsJob',
    name: 'Inherit rights',
    parameters: {overwrite_or_combine: 'overwrite', all_or_digital_only: 'all', objectId: 512},
  },
  {
    jobClass: 'arInheritRightsJob',
    name: 'Vererbung',
    parameters: {overwrite_or_combine: 'combine', all_or_digital_only: 'all', objectId: 512},
    twice: /adds the same rights/,
  },
  {jobClass: 'arFileImportJob', upload: true, twice: /imports again from the beginning/},
  {
    jobClass: 'qtSwordPluginWorker',
    parameters: {objectId: 512, format: 'x', filename: 'uploads/tmp/dip'},
    twice: /imports the package again/,
  },
];

/** What PHP's own functions make of the new job's parameters: the lines of QubitJob::runJob and Net_Gearman_Task. */
function madeByPhp(name: string, parameters: string): {payload: string; unique: string} {
  const program = `[$function, $text] = json_decode(stream_get_contents(STDIN));
    $parameters = json_decode($text, true);
    echo json_encode(['payload' => json_encode($parameters), 'unique' => md5($function.serialize($parameters).'1')]);`;
  return JSON.parse(
    execFileSync('php', ['-n', '-r', program], {input: JSON.stringify([name, parameters])}).toString(),
  );
}

test.each(CASES)('$jobClass $name $parameters', async ({jobClass, twice, upload, ...job}) => {
  await writeFile(join(at.site.root, 'uploads/tmp/dip'), '');
  const parameters = upload ? await uploadCsv(at.site) : job.parameters!;
  const id = await insertLogged(at.site, {name: jobClass, ...job, parameters});
  at.workers.push(await startWorker(at.site, [`--abilities=${jobClass}`]));

  const preview = await previewAt(at, id);
  if (twice !== undefined) {
    expect(preview).toMatchObject({action: 'refused', message: expect.stringMatching(twice)});
    expect(preview.message).toContain(`atomctl jobs:retry ${id} --force`);
    expect((await retryAt(at, [id])).exit).toBe(5);
  } else expect(preview).toMatchObject({action: 'submitted', newId: null});

  const sent = proxy.packets.length;
  const {first, exit} = await retryAt(recorded, [id], {force: twice !== undefined});
  expect([first.action, exit]).toEqual(['submitted', 0]);
  const newId = first.newId!;
  const submissions = proxy.packets.slice(sent).filter(({type}) => type === TYPE.SUBMIT_JOB_BG);
  const name = job.name ?? jobClass;
  const payload = phpJson({...parameters, name, id: String(newId)});
  const php = madeByPhp(at.site.functionName(jobClass), payload);
  expect(submissions.map(({fields}) => fields)).toEqual([
    [at.site.functionName(jobClass), php.unique, php.payload],
  ]);
  expect(php.payload).toBe(payload);
  await until(async () => (await at.statusOf(newId)) === 184);
  expect(await logOf(at.site, newId)).toContain(`Job ${newId} "${name}": Parameters: ${payload}\n`);
});

test('an import whose upload is gone, as after one that completed, is refused also with --force', async () => {
  const parameters = await uploadCsv(at.site);
  const file = (parameters.file as {tmp_name: string}).tmp_name;
  const id = await insertLogged(at.site, {name: 'arFileImportJob', parameters});
  at.workers.push(await startWorker(at.site, ['--abilities=arFileImportJob']));
  const {first} = await retryAt(at, [id], {force: true});
  await until(async () => (await at.statusOf(first.newId!)) === 184);
  expect(existsSync(file)).toBe(false);
  const again = await retryAt(at, [id], {force: true});
  expect(again.first).toMatchObject({
    action: 'refused',
    message: `Job ${id} reads the file ${file}, which is not on this host. Upload it again in AtoM, or run atomctl on the host that has the file.`,
  });
  expect(again.exit).toBe(5);
});

test("a plugin's class needs --force, and a worker that runs it", async () => {
  const id = await insertLogged(at.site, {name: 'arPluginJob', parameters: {}});
  expect((await previewAt(at, id)).message).toMatch(/to a plugin.* --force$/);
  expect((await previewAt(at, id, {force: true})).message).toBe(
    'No connected worker of this site runs arPluginJob. To start the workers: atomctl worker:start --reset',
  );
  at.workers.push(await startWorker(at.site, ['--abilities=arPluginJob']));
  const {first} = await retryAt(at, [id], {force: true});
  await until(async () => (await at.statusOf(first.newId!)) === 184);
});
