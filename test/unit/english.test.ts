/** Words and phrases that readers of other languages stumble over must not come back into what users see. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {transformSync} from 'esbuild';
import {parseAst} from 'rollup/parseAst';
import {describe, expect, test} from 'vitest';
import {parse as parseYaml} from 'yaml';

const ROOT = new URL('../..', import.meta.url).pathname;

interface Phrase {
  pattern: RegExp;
  /** A sentence that must be found, and the same in plain words, which must pass. */
  wrong: string;
  right: string;
}

/** Each is so narrow that it refuses no plain sentence. */
const PHRASES: readonly Phrase[] = [
  phrase(
    /(?<!\bthere )\b(is|are|was|were) no (?!longer\b|more\b)/,
    '"x" (--age) is no age.',
    'There is no job 5, and "x" is not a valid age. It is no longer queued.',
  ),
  phrase(/\bnames (no|none)\b/, 'The URL names no user.', 'The URL has no user.'),
  phrase(/(?<!\bthere )\b(is|are) none\b/, 'It waits for replicas, or is none.', 'There is none.'),
  phrase(/\bbe (it|they)\b/, 'No link is followed, be it a file or a directory.', 'Links are not followed.'),
  phrase(
    /[.;,] so (is|are|does|do) (a|an|the|its|their|each|every)\b/,
    'It is kept; so is a job of it.',
    'Both are kept.',
  ),
  phrase(
    /(^|[.;] )(Should|Were|Had) (it|they|the|a|you)\b/,
    'Should it fail, run it again.',
    'If it fails, run it again.',
  ),
  phrase(/\bwherever\b/, 'It is masked, wherever it was typed.', 'It is masked in every argument.'),
  phrase(/\bnobody\b/, 'Nobody will run them.', 'No worker will run them.'),
  phrase(/\bfor ?ever\b/, 'They show as running for ever.', 'AtoM keeps showing them as running.'),
  phrase(/\bmend(s|ed|ing)?\b/, 'Mend this? (y/N)', 'Apply these fixes? We recommend it.'),
  phrase(/\b(has|have|had) to be\b/, 'The path has to be absolute.', 'The path must be absolute.'),
  phrase(/\bin hands?\b/, 'A worker has it in hands.', 'A worker is running it.'),
  phrase(/\bma[dk]es? a mistake\b/, 'atomctl made a mistake: x', 'Internal error: x'),
  phrase(/\btime is over\b/, 'The time is over before the end of: 5', 'Timed out; still unfinished: 5'),
  phrase(
    /\b(look|after|for|only|wait) so (often|long|many)\b/,
    'Look so often.',
    'The log is so long that it is cut. Seconds between checks.',
  ),
  phrase(/\ba bound\b/, 'A bound on each reply.', 'Timeout for each reply.'),
  phrase(/\bpeek(s|ed|ing)?\b/, 'Peek at the payloads.', 'Probe the payloads.'),
  phrase(/\banew\b/, 'The log began anew.', 'The log was started again: {"logAnew": true}'),
  phrase(/\bin vain\b/, 'It waits in vain.', 'No worker will start it.'),
  phrase(
    /\bE(ACCES|PERM|NOENT|EXIST|ISDIR|NOTDIR|LOOP|MFILE|NFILE|NOSPC|ROFS|PIPE|AI_AGAIN|NOTFOUND|CONN\w+|TIMEDOUT|HOST\w+|NETUNREACH|ADDR\w+)\b/,
    'x cannot be read (EACCES)',
    'x cannot be read: permission denied.',
  ),
  phrase(
    /\bstands? (the|over|at|in|on|here|there|between|beside)\b|\bcannot stand\b/,
    'At x:3 stands the unknown key "rot".',
    'Unknown key "rot" at x:3.',
  ),
  phrase(
    /\b(who|what)(so)?ever\b/,
    'Whoever reaches the port can read it.',
    'Anyone who connects can read it.',
  ),
  phrase(
    /\bhowever (often|long|many|much)\b/,
    'It is sent again however often it fails.',
    'It is sent again.',
  ),
  phrase(/\bof late\b/, 'What failed of late?', 'List the newest failed jobs.'),
  phrase(
    /\b(lest|hence|henceforth|thus|thereby|therein|thereof|thereupon|whereby|wherein|whereupon|hereby|albeit|ere|whilst|amongst|upon|unto|naught|aught|likewise|notwithstanding)\b/,
    'Stop it first, lest it begin the job.',
    'Stop it first, so that it does not start the job.',
  ),
  phrase(
    /\bnor (is|are|was|were|does|do|did|has|have|can|will)\b/,
    'It does not wait, nor is it lost.',
    'It does not wait, and it is not lost. Neither the user nor the group may read it.',
  ),
  phrase(
    /(^|[.:] )Of (a|an|the|each|more|those|what)\b/,
    'Of the log, it shows the end.',
    'It shows the end of the log.',
  ),
  phrase(/\b(is|are) at work on\b/, 'A worker is at work on it.', 'A worker is running it.'),
  phrase(
    /\bnothing does\b/,
    'No worker is connected, nothing does arFindingAidJob.',
    'Without one: arFindingAidJob',
  ),
  phrase(/\bto ask on\b/, 'There is no terminal to ask on.', 'stdin or stdout is not a terminal.'),
  phrase(/\bthen it failed:/, 'Then it failed: x', 'Failed: x'),
  phrase(/\bunless told\b/, 'It asks unless told otherwise.', 'It asks unless --yes is given.'),
  phrase(/\btells? \w+ from\b/, 'It tells queued from lost.', 'It distinguishes queued from lost.'),
  phrase(
    /\bhave (it|them|(a|the) [\w ]+?) (granted|raised|added|read|run|look|done)\b/,
    'Have a database administrator look at it.',
    'Ask a database administrator to check it.',
  ),
  phrase(
    /\blies? (in|on|beside|within|outside|ahead)\b/,
    'Its start lies in the future.',
    'Its start is in the future.',
  ),
  phrase(/\bf(e|a)ll(s|en)? silent\b/, 'The server fell silent.', 'The server stopped answering.'),
  phrase(/\bto spare\b/, 'It has no connection to spare.', 'It has too many connections.'),
  phrase(
    /\b(and|or) the like\b/,
    '%F, %H and the like are replaced.',
    '%F, %H and other sequences are replaced.',
  ),
  phrase(/(?<!are )\ball the same\b/, 'Run it all the same.', 'Run it anyway. The answers are all the same.'),
  phrase(/\bgo(es)? on\b/, 'The job goes on.', 'The job continues.'),
  phrase(
    /\bsee (that|to it|whether)\b/,
    'Restart it, and see that it works.',
    'Restart it, and check that it works.',
  ),
];

/** A text that users see: what it is and where, such as `README.md:12`. */
interface Shown {
  place: string;
  text: string;
}

describe('the list', () => {
  test.each(PHRASES)('finds: $wrong', ({pattern, wrong, right}) => {
    expect(wrong).toMatch(pattern);
    expect(found([{place: 'here', text: right}])).toEqual([]);
  });
});

test.each([
  ['help', manifestTexts],
  ['the manual page', () => proseTexts('man/atomctl.1', manual)],
  ['README.md', () => proseTexts('README.md')],
  ['CHANGELOG.md', () => proseTexts('CHANGELOG.md')],
  ['the user pages', () => USER_PAGES.flatMap((page) => proseTexts(`docs/${page}.md`))],
  ['the schemas', () => files('docs/schemas', /\.json$/).flatMap(jsonTexts)],
  ['the completions', () => files('completions', /./).flatMap((file) => proseTexts(file))],
  ['the package', () => ['package.json', ...files('package/deb', /./)].flatMap((file) => proseTexts(file))],
  ['the demo', () => files('test/support/demo', /\.ts$/).flatMap(sourceTexts)],
  ['the snapshots', () => files('test', /\.snap$/).flatMap((file) => proseTexts(file))],
  ['the messages in src', () => files('src', /\.ts$/).flatMap(sourceTexts)],
])('%s: no word or phrase of the list', (_name, texts) => {
  const shown = texts();
  expect(shown.length).toBeGreaterThan(0);
  expect(found(shown)).toEqual([]);
});

/** The pages of docs for users. Those for contributors name tests and rules. */
const USER_PAGES = [
  'configuration',
  'containers',
  'doctor',
  'glossary',
  'index',
  'install',
  'json',
  'live-states',
  'recipes',
  'security',
  'troubleshooting',
];

function phrase(pattern: RegExp, wrong: string, right: string): Phrase {
  // A capital in a pattern is the start of a sentence.
  return {pattern: /[A-Z]\w/.test(pattern.source) ? pattern : new RegExp(pattern, 'i'), wrong, right};
}

/** Each hit with its place, the phrase and the sentence around it. */
function found(texts: readonly Shown[]): string[] {
  return texts.flatMap(({place, text}) =>
    PHRASES.flatMap(({pattern}) => {
      const hits = [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))];
      return hits.map((hit) => `${place}: "${hit[0].trim()}" in: ${sentenceAt(text, hit.index)}`);
    }),
  );
}

function sentenceAt(text: string, index: number): string {
  const start = Math.max(0, text.lastIndexOf('. ', index) + 1);
  const end = text.indexOf('. ', index);
  return text.slice(start, end === -1 ? undefined : end + 1).trim();
}

function files(folder: string, name: RegExp): string[] {
  return readdirSync(join(ROOT, folder), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Roff without its escapes and macros. */
function manual(text: string): string {
  return text
    .replace(/^\.\w+ ?/gm, '')
    .replace(/\\([-&e]|f[BIRP])/g, (_escape, name: string) => (name === '-' ? '-' : ''));
}

/** Paragraphs, list items, table rows and comments, each on one line, without blocks of code and test names. */
function proseTexts(file: string, plain: (text: string) => string = (text) => text): Shown[] {
  const lines = plain(read(file))
    .replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/[^\n]/g, ''))
    .split('\n');
  const texts: Shown[] = [];
  let open = false;
  for (const [index, line] of lines.entries()) {
    const text = line
      .replace(/^\s*(# |[-*>] )?\s*/, '')
      .replace(/`test\/[^`]*`|\| [^|]*`[a-z]+\/[^|]*\|$/g, '');
    if (open && /^\s*[^-*|#\s]/.test(line)) texts[texts.length - 1]!.text += ` ${text}`;
    else texts.push({place: `${file}:${index + 1}`, text});
    open = text !== '' && !/^[|#]/.test(line);
  }
  return texts.filter(({text}) => text !== '');
}

/** The strings of a JSON or YAML file that have more than one word. */
function jsonTexts(file: string): Shown[] {
  const texts: Shown[] = [];
  const walk = (value: unknown, place: string): void => {
    if (typeof value === 'string') {
      if (value.includes(' ')) texts.push({place, text: value});
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) walk(item, `${place} ${key}`);
    }
  };
  walk(parseYaml(read(file)), file);
  return texts;
}

function manifestTexts(): Shown[] {
  return jsonTexts('oclif.manifest.json');
}

/** The strings and templates of a source file that have more than one word; what a template inserts is an ellipsis. */
function sourceTexts(file: string): Shown[] {
  const source = read(file);
  const {code} = transformSync(source, {loader: 'ts', charset: 'utf8'});
  const texts: Shown[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const {type, value, quasis} = node as {
      type?: string;
      value?: unknown;
      quasis?: {value: {cooked: string}}[];
    };
    if (type === 'Literal' && typeof value === 'string') add(value);
    if (type === 'TemplateLiteral') add(quasis!.map((quasi) => quasi.value.cooked).join('…'));
    Object.values(node).forEach(walk);
  };
  const add = (text: string): void => {
    if (/\p{L} ?\S* \S*\p{L}/u.test(text)) texts.push({place: `${file}:${lineOf(source, text)}`, text});
  };
  walk(parseAst(code));
  return texts;
}

/** The line of the longest part that a template does not insert. */
function lineOf(source: string, text: string): number {
  const [longest = ''] = text.split(/[…\n'"`\\]/).sort((one, other) => other.length - one.length);
  return source.slice(0, Math.max(0, source.indexOf(longest))).split('\n').length;
}
