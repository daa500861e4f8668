import {expect, test} from 'vitest';
import {readWorkerProcess} from '../../../src/host/worker-state.ts';

const gone = {state: 'gone', isWorker: false};
const [pid, server] = [3_999_999, '127.0.0.1:4730'];

test.each([
  ['over loopback to a server here', {pid, ip: '127.0.0.1', server}, gone],
  ['over IPv6', {pid, ip: '::1', server: '[::1]:4730'}, gone],
  ['over loopback to a server elsewhere', {pid, ip: '127.0.0.1', server: 'gearman.example.org:4730'}, null],
  ['from another host', {pid, ip: '203.0.113.9', server}, null],
  ['without a pid', {pid: null, ip: '127.0.0.1', server}, null],
])('the process of a worker that is connected %s', async (_how, worker, expected) => {
  expect(await readWorkerProcess(worker)).toEqual(expected);
});
