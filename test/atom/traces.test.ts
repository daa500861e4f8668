import {expect, test} from 'vitest';
import {startGearmand} from '../support/servers/gearmand.ts';
import {recordGearman} from '../support/servers/recording-proxy.ts';
import {traceAll} from '../support/workers/trace.ts';
import {startWorker} from '../support/workers/worker.ts';
import {openInstalledSite, ROOT_DESCRIPTION, withInstalledAtom} from './installed-atom.ts';

withInstalledAtom((atom) => {
  test('rows, log lines, output and packets are those recorded in test/atom/traces', {
    timeout: 400_000,
  }, async () => {
    const gearmand = await startGearmand();
    const recorder = await recordGearman(gearmand.endpoint);
    const site = await openInstalledSite(atom, [recorder.endpoint]);
    const traces = await traceAll({
      site,
      recorder,
      worker: await startWorker(site),
      objectId: ROOT_DESCRIPTION,
      userId: site.userId,
      holdImports: site.holdImports,
      submit: (_kind, jobClass, parameters) => site.submit(jobClass, parameters),
    });
    await site.drop();
    recorder.close();
    await gearmand.kill();
    await expect(toJson(traces)).toMatchFileSnapshot(`traces/${atom.version}.json`);
  });
});

/** Each row on one line. */
function toJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(/\{[^{}[\]]*\}/g, (row) => row.replace(/\n +/g, ' '))}\n`;
}
