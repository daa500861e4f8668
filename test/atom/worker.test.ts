import {TRACE_JOBS, type TraceKind} from '../support/workers/trace.ts';
import {startWorker} from '../support/workers/worker.ts';
import {type JobKind, testWorkerContract} from '../support/workers/worker-contract.ts';
import {openInstalledSite, ROOT_DESCRIPTION, withInstalledAtom} from './installed-atom.ts';

const KINDS: Record<JobKind, TraceKind> = {
  succeeds: 'completes',
  fails: 'fails',
  exports: 'exports',
  'takes seconds': 'imports',
  imports: 'imports',
  moves: 'gives up',
  'lacks a parameter': 'lacks a parameter',
};

withInstalledAtom((atom) => {
  testWorkerContract(`AtoM ${atom.version}`, async ({gearman}) => {
    const site = await openInstalledSite(atom, gearman);
    return {
      site,
      isSince27: site.isSince27,
      serialClass: 'arFileImportJob',
      start: (args) => startWorker(site, args),
      submit: async (kind) => {
        if (kind === 'imports') await site.holdImports();
        const [jobClass, parameters] = await TRACE_JOBS[KINDS[kind]]({site, objectId: ROOT_DESCRIPTION});
        return {id: await site.submit(jobClass, parameters), parameters};
      },
    };
  });
});
