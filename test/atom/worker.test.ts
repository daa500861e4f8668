import {uploadCsv} from '../support/servers/submit-job.ts';
import {startWorker} from '../support/workers/worker.ts';
import {type JobKind, testWorkerContract} from '../support/workers/worker-contract.ts';
import {type InstalledSite, openInstalledSite, withInstalledAtom} from './installed-atom.ts';

type Job = readonly [jobClass: string, parameters: Readonly<Record<string, unknown>>];

/** Jobs that change nothing but their own rows; only an import adds a description. */
const JOBS: Record<JobKind, (site: InstalledSite) => Job | Promise<Job>> = {
  succeeds: () => [
    'arUpdateEsIoDocumentsJob',
    {ioIds: ['0'], updateIos: true, updateDescendants: false, objectId: '1'},
  ],
  fails: () => [
    'arFileImportJob',
    {
      importType: 'csv',
      objectType: 'informationObject',
      file: {name: 'gone.csv', tmp_name: '/nonexistent/gone.csv'},
    },
  ],
  exports: () => ['arPhysicalObjectCsvHoldingsReportJob', {suppressEmpty: true}],
  'takes seconds': importOf,
  imports: async (site) => {
    await site.holdImports();
    return importOf(site);
  },
  moves: () => ['arObjectMoveJob', {objectId: '1', parentId: '1'}],
  'lacks a parameter': () => ['arCalculateDescendantDatesJob', {}],
};

async function importOf(site: InstalledSite): Promise<Job> {
  return ['arFileImportJob', {...(await uploadCsv(site)), index: false}];
}

withInstalledAtom((atom) => {
  testWorkerContract(`AtoM ${atom.version}`, async ({gearman}) => {
    const site = await openInstalledSite(atom, gearman);
    return {
      site,
      isSince27: site.isSince27,
      serialClass: 'arFileImportJob',
      start: (args) => startWorker(site, args),
      submit: async (kind) => {
        const [jobClass, parameters] = await JOBS[kind](site);
        return {id: await site.submit(jobClass, parameters), parameters};
      },
    };
  });
});
