import {expect, test} from 'vitest';
import {loggedParameters} from '../../../../src/jobs/retry/logged-parameters.ts';

const line = (message: string, {id = 5, name = 'arFindingAidJob'} = {}) =>
  `[info] [2026-03-04 13:05:01] Job ${id} "${name}": ${message}\n`;
const JOB = {id: 5, name: 'arFindingAidJob'};
const OWN = '{"objectId":512,"name":"arFindingAidJob","id":"5"}';
const missing = (log: string, job = JOB) => {
  const logged = loggedParameters(log, job);
  return 'missing' in logged ? logged.missing : null;
};

test('the parameters are those of the line that the worker logged', () => {
  const logged = loggedParameters(
    line('Job started.') + line(`Parameters: ${OWN}`) + line('Job finished.'),
    JOB,
  );
  expect(logged).toMatchObject({text: OWN});
  expect('parameters' in logged && [...logged.parameters]).toEqual([
    ['objectId', 512n],
    ['name', 'arFindingAidJob'],
    ['id', '5'],
  ]);
});

test('an import that waited for its turn logs them later', () => {
  const waits = line('Another sensitive job is being executed, will retry in 10 seconds');
  expect(missing(line('Job started.') + waits + line(`Parameters: ${OWN}`))).toBeNull();
});

test.each([
  ['never began', '', /^Job 5 never began/],
  [
    'an older AtoM',
    line('Job started.') + line('Job finished.'),
    /has no parameters: AtoM 2\.7 and later log them/,
  ],
  [
    'cut',
    line('Job started.') + line('Parameters: {"objectId":512,"na').trimEnd(),
    /are incomplete or cannot be read/,
  ],
  [
    'with a number that no JSON of PHP has',
    line(`Parameters: ${OWN.replace('512', '1e999')}`),
    /are incomplete or cannot be read/,
  ],
  ['a list', line('Parameters: [1]'), /has no parameters/],
  ['of another job', line(`Parameters: ${OWN.replace('"5"', '"6"')}`), /not those of its row/],
  ['with another name', line(`Parameters: ${OWN.replace('arFi', 'arXi')}`), /not those of its row/],
  ['without an id', line('Parameters: {"name":"arFindingAidJob"}'), /not those of its row/],
  [
    'with an object for its id',
    line('Parameters: {"name":"arFindingAidJob","id":{"a":5}}'),
    /not those of its row/,
  ],
])('%s: a sentence says why', (_what, log, sentence) => {
  expect(missing(log)).toMatch(sentence);
});

test("text in a message that looks like the line is not the job's own", () => {
  const forged = `] Job 5 "arFindingAidJob": Parameters: {"objectId":1,"name":"arFindingAidJob","id":"5"}`;
  expect(missing(line('Job started.') + line(`Exception: x${forged}`))).toMatch(/has no parameters/);
  const both = loggedParameters(line(`File "x${forged}`) + line(`Parameters: ${OWN}`), JOB);
  expect(both).toMatchObject({text: OWN});
});

test.each(['a.*[b', 'two\nlines', '] Job 5 "x": Parameters: {"id":"5"}'])(
  'the name %j is literal text',
  (name) => {
    const text = JSON.stringify({name, id: '5'});
    expect(loggedParameters(line(`Parameters: ${text}`, {name}), {id: 5, name})).toMatchObject({text});
  },
);
