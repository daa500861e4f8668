import {expect, it} from 'vitest';
import {
  parseConfigFile,
  parseDefaultsFile,
  parseOptions,
} from '../../../../src/doctor/evidence/local-gearmand.ts';

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

it.each([
  ['# PARAMS="-q mysql"\nPARAMS="--listen=localhost \\\n -p 4731"\n', {listen: 'localhost', port: '4731'}],
  ["PARAMS=''\n  PARAMS='-q libsqlite3'\n", {'queue-type': 'libsqlite3'}],
  ['PARAMS=--port=4731\n', {port: '4731'}],
  ['OTHER="-p 1"\n', null],
])('reads the arguments in the file of its unit: %j', (text, expected) => {
  const found = parseDefaultsFile(text);
  expect(found && Object.fromEntries(found)).toEqual(expected);
});
