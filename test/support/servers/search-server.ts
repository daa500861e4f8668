import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';

/** A version that AtoM 2.4 to 2.8 accept. */
const VERSION = '5.6.16';

/** To whatever is asked: it was done, and nothing was found. */
const ANSWER = {
  version: {number: VERSION},
  acknowledged: true,
  took: 1,
  timed_out: false,
  errors: false,
  items: [],
  count: 0,
  updated: 0,
  failures: [],
  hits: {total: 0, max_score: null, hits: []},
  aggregations: {},
  _shards: {total: 1, successful: 1, failed: 0},
};

/** Stands for Elasticsearch: AtoM's worker does not start a job without it, and no test needs what is found. */
export async function startSearchServer(): Promise<{port: number; close(): void}> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(ANSWER));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
