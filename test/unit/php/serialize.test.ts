import {execFileSync} from 'node:child_process';
import fc from 'fast-check';
import {beforeEach, describe, expect, test} from 'vitest';
import {readPhpJson, writePhpJson} from '../../../src/php/json.ts';
import {phpSerialize} from '../../../src/php/serialize.ts';

/** JSON text to what PHP 8.2 made of it: `serialize(json_decode($text, true))`. */
const VECTORS: [json: string, serialized: string][] = [
  ['null', 'N;'],
  [' true\n', 'b:1;'],
  ['false', 'b:0;'],
  ['0', 'i:0;'],
  ['-0', 'i:0;'],
  ['-0.0', 'd:-0;'],
  ['-17', 'i:-17;'],
  ['1.0', 'd:1;'],
  ['1e3', 'd:1000;'],
  ['0.1', 'd:0.1;'],
  ['-2.5E-7', 'd:-2.5E-7;'],
  ['0.0001', 'd:0.0001;'],
  ['0.00012345', 'd:0.00012345;'],
  ['1e16', 'd:10000000000000000;'],
  ['1e17', 'd:1.0E+17;'],
  ['123456.789', 'd:123456.789;'],
  ['12345678901234567.0', 'd:12345678901234568;'],
  ['9223372036854775807', 'i:9223372036854775807;'],
  ['-9223372036854775808', 'i:-9223372036854775808;'],
  ['9223372036854775808', 'd:9.223372036854776E+18;'],
  ['1e999', 'd:INF;'],
  ['5e-324', 'd:5.0E-324;'],
  ['""', 's:0:"";'],
  [String.raw`"Fonds \u00c9t\u00e9 \ud83d\ude00 a\/b \"q\" \u0000"`, 's:26:"Fonds Été 😀 a/b "q" \u0000";'],
  ['[]', 'a:0:{}'],
  ['{}', 'a:0:{}'],
  ['[1, [true, null], "x"]', 'a:3:{i:0;i:1;i:1;a:2:{i:0;b:1;i:1;N;}i:2;s:1:"x";}'],
  [
    '{"10":"a","2":"b","07":1,"-3":2,"-0":3,"9223372036854775808":4,"":5}',
    'a:7:{i:10;s:1:"a";i:2;s:1:"b";s:2:"07";i:1;i:-3;i:2;s:2:"-0";i:3;s:19:"9223372036854775808";i:4;s:0:"";i:5;}',
  ],
  ['{"a":1,"b":{"c":[]},"a":1.5}', 'a:2:{s:1:"a";d:1.5;s:1:"b";a:1:{s:1:"c";a:0:{}}}'],
];

const REFUSED = [
  ['an unpaired high surrogate', String.raw`"\ud800"`],
  ['an unpaired low surrogate', String.raw`"\udc00x"`],
  ['a leading zero', '01'],
  ['a bare decimal point', '1.'],
  ['a trailing comma in a list', '[1,]'],
  ['a trailing comma in an object', '{"a":1,}'],
  ['a key without quotes', '{a:1}'],
  ['single quotes', "'a'"],
  ['a raw control character', '"tab\there"'],
  ['an unknown escape', String.raw`"\x41"`],
  ['a list without an end', '[1'],
  ['a string without an end', '"cut'],
  ['something after the end', '[1] 2'],
  ['nothing', ' '],
  ['512 levels', `${'['.repeat(512)}${']'.repeat(512)}`],
] as const;

/** JSON text to what PHP 8.2 made of it: `json_encode(json_decode($text, true))`. */
const ENCODED: [json: string, encoded: string][] = [
  ['null', 'null'],
  [' true ', 'true'],
  ['-17', '-17'],
  ['2.0', '2'],
  ['0.1', '0.1'],
  ['-0.0', '-0'],
  ['1e15', '1000000000000000'],
  ['1e25', '1.0e+25'],
  ['-2.5E-7', '-2.5e-7'],
  ['9223372036854775807', '9223372036854775807'],
  ['9223372036854775808', '9.223372036854776e+18'],
  ['{}', '[]'],
  ['{"0":"a","1":"b"}', '["a","b"]'],
  ['{"1":"a","0":"b"}', '{"1":"a","0":"b"}'],
  ['{"":null,"07":[[],false]}', '{"":null,"07":[[],false]}'],
  [
    String.raw`"Fonds \u00c9t\u00e9 \ud83d\ude00 a/b \"q\" \\ \u0000\u001f\u007f\u2028 <&>'"`,
    String.raw`"Fonds \u00c9t\u00e9 \ud83d\ude00 a\/b \"q\" \\ \u0000\u001f` +
      '\x7f' +
      String.raw`\u2028 <&>'"`,
  ],
  [String.raw`"\b\f\n\r\t\u0008\u000b"`, String.raw`"\b\f\n\r\t\b\u000b"`],
];

/** What PHP itself makes of each text; null if json_decode or json_encode refuses it. */
function askPhp(
  texts: readonly string[],
  write: 'serialize' | 'json_encode' = 'serialize',
): (string | null)[] {
  const script = `
    $texts = json_decode(stream_get_contents(STDIN));
    echo json_encode(array_map(function ($text) {
      $value = json_decode($text, true);
      if (json_last_error() !== JSON_ERROR_NONE) return null;
      $written = ${write}($value);
      return $written === false ? null : base64_encode($written);
    }, $texts));`;
  const output = execFileSync('php', ['-n', '-r', script], {input: JSON.stringify(texts)});
  return (JSON.parse(output.toString()) as (string | null)[]).map(
    (serialized) => serialized && Buffer.from(serialized, 'base64').toString(),
  );
}

function serializeJson(text: string): string | null {
  try {
    return phpSerialize(readPhpJson(text));
  } catch {
    return null;
  }
}

function encodeJson(text: string): string | null {
  try {
    return writePhpJson(readPhpJson(text));
  } catch {
    return null;
  }
}

function phpIsInstalled(): boolean {
  try {
    execFileSync('php', ['-v'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

test.each(VECTORS)('%s is %s', (json, serialized) => {
  expect(serializeJson(json)).toBe(serialized);
});

test.each(ENCODED)('%s is written again as %s', (json, encoded) => {
  expect(encodeJson(json)).toBe(encoded);
});

test('an infinite number is not written, as PHP refuses it', () => {
  expect(() => writePhpJson(readPhpJson('[1e999]'))).toThrow(SyntaxError);
});

test.each(REFUSED)('refuses %s, as PHP does', (_what, json) => {
  expect(() => readPhpJson(json)).toThrow(SyntaxError);
});

test('511 levels are still read', () => {
  expect(serializeJson(`${'['.repeat(511)}${']'.repeat(511)}`)).toMatch(/^a:1:\{.*a:0:\{\}\}+$/);
});

const php = phpIsInstalled();
describe('beside PHP itself', () => {
  beforeEach(({skip}) => skip(!php, 'php is not installed'));

  test("the vectors and the refusals are PHP's", () => {
    expect(askPhp(VECTORS.map(([json]) => json))).toEqual(VECTORS.map(([, serialized]) => serialized));
    expect(askPhp(REFUSED.map(([, json]) => json))).toEqual(REFUSED.map(() => null));
    const encoded = askPhp(
      ENCODED.map(([json]) => json),
      'json_encode',
    );
    expect(encoded).toEqual(ENCODED.map(([, text]) => text));
  });

  test('any JSON text, in any notation, is serialized and written again as PHP does', () => {
    fc.assert(
      fc.property(fc.array(jsonText, {minLength: 40, maxLength: 80}), (texts) => {
        expect(texts.map(serializeJson)).toEqual(askPhp(texts));
        expect(texts.map(encodeJson)).toEqual(askPhp(texts, 'json_encode'));
      }),
      {numRuns: 25},
    );
  });
});

const stringText = fc
  .tuple(fc.string({unit: 'binary', maxLength: 12}), fc.boolean())
  .map(([text, escaped]) =>
    escaped
      ? `"${Array.from({length: text.length}, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(text).replaceAll('/', '\\/'),
  );
const numberText = fc.oneof(
  fc.double({noNaN: true, noDefaultInfinity: true}).map((value) => JSON.stringify(value)),
  fc.double({noNaN: true, noDefaultInfinity: true}).map((value) => value.toExponential()),
  fc.bigInt({min: -(2n ** 66n), max: 2n ** 66n}).map(String),
  fc.stringMatching(/^-?(0|[1-9]\d{0,5})(\.\d{1,6})?([eE][+-]?\d{1,2})?$/),
);
const keyText = fc.oneof(
  stringText,
  fc.stringMatching(/^[-+]?\d{1,20}$/).map((key) => `"${key}"`),
  fc.constantFrom('"a"', '"b"', '"1"'),
);
const {jsonText} = fc.letrec<{jsonText: string; list: string; object: string}>((tie) => ({
  jsonText: fc.oneof(
    {maxDepth: 4, depthSize: 'small'},
    fc.constantFrom('null', 'true', 'false', ' 1 ', '[]', '{ }'),
    numberText,
    stringText,
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('jsonText'), {maxLength: 5}).map((items) => `[${items.join(', ')}]`),
  object: fc
    .array(fc.tuple(keyText, tie('jsonText')), {maxLength: 6})
    .map((entries) => `{${entries.map(([key, value]) => `${key} :${value}`).join(',\n')}}`),
}));
