import type {SiteProcesses} from '../../src/processes/site-processes.ts';

/** A host on which no worker and no import of a site runs, and every process can be seen. */
export const noProcesses = async (): Promise<SiteProcesses> => ({incomplete: null, processes: []});
