import {expect, it} from 'vitest';
import {parseConfigFile, parseOptions} from '../../../../src/doctor/evidence/local-gearmand.ts';

it.each([
  ['--port=4731 --daemon --queue-type=MySQL', {port: '4731', daemon: '', 'queue-type': 'MySQL'}],
  ['-p 4731 -d -j3 -q libsqlite3', {port: '4731', 'job-retries': '3', 'queue-type': 'libsqlite3'}],
  ['--job-retries 2 --log-file=/var/log/g=1.log', {'job-retries': '2', 'log-file': '/var/log/g=1.log'}],
  ['--daemon', {daemon: ''}],
])("reads gearmand's command line: %s", (line, expected) => {
  expect(Object.fromEntries(parseOptions(line.split(' ')))).toEqual(expected);
});

it("reads gearmand's configuration file", () => {
  const text = '# queue-type=redis\n  port = 4731 # ours\njob-retries=2\nverbose\n';
  expect(Object.fromEntries(parseConfigFile(text))).toEqual({port: '4731', 'job-retries': '2'});
});
