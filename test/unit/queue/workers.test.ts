import {expect, test} from 'vitest';
import {queueWorkers} from '../../../src/queue/workers.ts';
import {answering, OTHER_PREFIX, PREFIX} from '../../support/servers/server-reports.ts';

test('a worker is one row over all its servers; this site comes first; connections without functions are none', () => {
  const own = [`${PREFIX}-arFindingAidJob`, `${PREFIX}-arFileImportJob`];
  const servers = [
    answering('one:4730', [], {
      pid_7_ff: [`${OTHER_PREFIX}-arObjectMoveJob`],
      'pid_4021_5f1e.9': own,
      'a mixed one': ['reverse', own[0]!],
      '-': ['reverse'],
      pid_9_00: [],
    }),
    answering('two:4730', [], {'-': ['reverse'], 'pid_4021_5f1e.9': own}),
  ];
  expect(queueWorkers({servers, prefix: PREFIX})).toEqual([
    {
      id: 'a mixed one',
      pid: null,
      ip: '127.0.0.1',
      prefix: null,
      thisSite: true,
      abilities: [`${PREFIX}-arFindingAidJob`, 'reverse'],
      servers: ['one:4730'],
    },
    {
      id: 'pid_4021_5f1e.9',
      pid: 4021,
      ip: '127.0.0.1',
      prefix: PREFIX,
      thisSite: true,
      abilities: ['arFileImportJob', 'arFindingAidJob'],
      servers: ['one:4730', 'two:4730'],
    },
    {
      id: '-',
      pid: null,
      ip: '127.0.0.1',
      prefix: null,
      thisSite: false,
      abilities: ['reverse'],
      servers: ['one:4730'],
    },
    {
      id: '-',
      pid: null,
      ip: '127.0.0.1',
      prefix: null,
      thisSite: false,
      abilities: ['reverse'],
      servers: ['two:4730'],
    },
    {
      id: 'pid_7_ff',
      pid: 7,
      ip: '127.0.0.1',
      prefix: OTHER_PREFIX,
      thisSite: false,
      abilities: ['arObjectMoveJob'],
      servers: ['one:4730'],
    },
  ]);
});

test('if the prefix is not known no worker is of this site', () => {
  const servers = [answering('one:4730', [], {w: ['arFindingAidJob'], x: [`${PREFIX}-arFindingAidJob`]})];
  expect(queueWorkers({servers, prefix: null}).map(({thisSite}) => thisSite)).toEqual([false, false]);
});
