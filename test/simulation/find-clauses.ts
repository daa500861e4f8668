/**
 * `npm run simulate:clauses [-- --seed S] [--blocks N]`: for each clause of each proof, a history in which a state is
 * claimed that is not true if the clause is left out. Writes where they are to clause-histories.json and the shortened
 * stories to docs/proofs.md. A clause that no history needs ends it with 1.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {PROOFS} from '../../src/jobs/live/proofs.ts';
import {
  CLAUSES,
  findNeeding,
  type HistoryPlace,
  NARROWS_A_LIMIT,
  type NamedClause,
  nameOf,
  needs,
  shortStory,
} from './clauses.ts';

const {values} = parseArgs({
  options: {seed: {type: 'string', default: '1'}, blocks: {type: 'string', default: '100'}},
});
const FILE = new URL('clause-histories.json', import.meta.url);
const DOCUMENT = new URL('../../docs/proofs.md', import.meta.url);

type Places = (NamedClause & HistoryPlace)[];

const known: Places = JSON.parse(readFileSync(FILE, 'utf8'));
const places = new Map<NamedClause, HistoryPlace>();
for (const clause of CLAUSES) {
  const before = known.find((place) => place.proof === clause.proof && place.clause === clause.clause);
  if (before && needs(clause, before)) places.set(clause, {seed: before.seed, run: before.run});
}
console.log(`${places.size} of ${CLAUSES.length} clauses have their history.`);
findNeeding(
  CLAUSES.filter((clause) => !places.has(clause)),
  {
    seed: Number(values.seed),
    blocks: Number(values.blocks),
    found: (clause, place) => {
      console.log(`${clause.proof}: ${clause.clause}: seed ${place.seed}, run ${place.run}`);
      places.set(clause, place);
    },
  },
);
const found = CLAUSES.flatMap((clause) => {
  const place = places.get(clause);
  if (place === undefined) console.log(`NOT NEEDED: ${clause.proof}: ${clause.clause}`);
  return place === undefined ? [] : [{...clause, ...place}];
});
const sections = new Map<string, string[]>(PROOFS.map(({name}) => [name, []]));
for (const clause of CLAUSES) {
  const place = places.get(clause);
  const text = place
    ? ['```text', ...toldSteps(shortStory(clause, place)), '```']
    : ['No history is known that needs this clause.'];
  const why = NARROWS_A_LIMIT.get(nameOf(clause));
  const narrows = why === undefined ? [] : [`It narrows a limit of [faults.md](faults.md). ${why}`, ''];
  sections.get(clause.proof)!.push(`### ${clause.clause}`, '', ...narrows, ...text, '');
}
writeFileSync(FILE, `${JSON.stringify(found, null, 2)}\n`);
writeFileSync(DOCUMENT, documentOf(sections));
process.exitCode = found.length === CLAUSES.length ? 0 : 1;

/** The steps of atomctl are told only if something happens between them. */
function toldSteps(story: readonly string[]): readonly string[] {
  const isStep = (line: string) => line.startsWith('  atomctl');
  const others = story.filter((line) => !isStep(line));
  const after = story.slice(story.findIndex(isStep));
  return after.every(isStep) ? others : story;
}

function documentOf(stories: ReadonlyMap<string, readonly string[]>): string {
  const proofs = PROOFS.flatMap(({name, state, decides, clauses}) => [
    `## ${state}: ${name}`,
    '',
    clauses.length === 0
      ? 'This is the whole proof.'
      : `All of its ${clauses.length} clauses must hold${decides ? '; otherwise the job is uncertain' : '; otherwise the next proof is tried'}.`,
    '',
    ...stories.get(name)!,
  ]);
  return [
    '# The proofs of the live states',
    '',
    'A job that the database calls Running has a live state only if one of these proofs is complete; they are tried in this',
    'order (`src/jobs/live/proofs.ts`). For each clause there is a history in which the state would be claimed and not be',
    'true if the clause were left out, found by the simulation and shortened. Where a clause only narrows a known limit, it says',
    'so. `npm run simulate:clauses` writes this file.',
    '',
    ...proofs,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}
