import {expect, test} from 'vitest';
import {parseTimeSpan} from '../../../src/systemd/time-span.ts';
import {parseUnitStates} from '../../../src/systemd/unit-state.ts';

/** As systemd 252 prints it, in its order. */
const RUNNING = `Type=simple
Restart=on-failure
RestartUSec=30s
RestartPreventExitStatus=9
RestartForceExitStatus=111 SIGHUP
MainPID=485
Result=success
NRestarts=2
ExecMainCode=1
ExecMainStatus=111
ExecStart={ path=/usr/bin/php ; argv[]=/usr/bin/php -d memory_limit=-1 symfony jobs:worker --types=a ; ignore_errors=no ; start_time=[Mon 2026-11-23 12:29:15 UTC] ; stop_time=[n/a] ; pid=485 ; code=(null) ; status=0/0 }
ControlGroup=/system.slice/atom-worker.service
MemoryCurrent=18446744073709551615
WorkingDirectory=!/usr/share/nginx/atom
User=www-data
Id=atom-worker.service
After=sysinit.target mariadb.service
LoadState=loaded
ActiveState=active
SubState=running
FragmentPath=/etc/systemd/system/atom-worker.service
UnitFileState=enabled
StateChangeTimestamp=Mon 2026-11-23 12:29:17 UTC
StartLimitIntervalUSec=1d
StartLimitBurst=3
`;

/** What systemd 219 leaves out or names otherwise; a unit that is not there. */
const ABSENT = `Restart=no
MainPID=0
ExecMainCode=0
MemoryCurrent=[not set]
Id=no-such.service
LoadState=not-found
ActiveState=inactive
SubState=dead
StartLimitInterval=10s
StartLimitBurst=5
`;

test('the properties of several units', () => {
  expect(parseUnitStates(`${RUNNING}\n${ABSENT}`)).toEqual([
    {
      name: 'atom-worker.service',
      load: 'loaded',
      active: 'active',
      sub: 'running',
      enablement: 'enabled',
      path: '/etc/systemd/system/atom-worker.service',
      since: new Date('2026-11-23T12:29:17Z'),
      mainPid: 485,
      controlGroup: '/system.slice/atom-worker.service',
      memoryBytes: null,
      restarts: 2,
      restartPolicy: 'on-failure',
      restartDelaySeconds: 30,
      result: 'success',
      lastExit: {how: 'exited', status: 111},
      restartForced: [111],
      restartPrevented: [9],
      command: '/usr/bin/php -d memory_limit=-1 symfony jobs:worker --types=a',
      workingDirectory: '/usr/share/nginx/atom',
      user: 'www-data',
      after: ['sysinit.target', 'mariadb.service'],
      startLimit: {burst: 3, intervalSeconds: 86_400},
    },
    expect.objectContaining({
      name: 'no-such.service',
      load: 'not-found',
      mainPid: null,
      memoryBytes: null,
      lastExit: null,
      since: null,
      workingDirectory: null,
      command: '',
      startLimit: {burst: 5, intervalSeconds: 10},
    }),
  ]);
});

test('several ExecStart lines are one command each', () => {
  const line = (words: string) => `ExecStart={ path=/bin/sh ; argv[]=${words} ; ignore_errors=no ; pid=0 }`;
  const [unit] = parseUnitStates(`Id=a.service\n${line('/bin/true ; x')}\n${line('/bin/sh -c y=1')}`);
  expect(unit!.command).toBe('/bin/true ; x\n/bin/sh -c y=1');
});

test.each([
  ['1d', 86_400],
  ['1min 30s', 90],
  ['100ms', 0.1],
  ['2w 1d', 15 * 86_400],
  ['22h 10min 5s', 79_805],
  ['', 0],
])('the time span %j is %d seconds', (text, seconds) => {
  expect(parseTimeSpan(text)).toBeCloseTo(seconds);
  expect(parseTimeSpan('infinity')).toBe(Number.POSITIVE_INFINITY);
});
