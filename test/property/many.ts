import fc from 'fast-check';
import {inject} from 'vitest';

/** How many cases each property is tried on; FC_RUNS asks for more. */
export const CASES = Number(process.env.FC_RUNS ?? 10_000);

/** Tries a property on CASES cases, drawn from the run's seed; `casesEach` is how many of them one run makes. */
export function holds<T>(property: fc.IProperty<T>, casesEach = 1): void {
  fc.assert(property, {seed: inject('seed'), numRuns: Math.ceil(CASES / casesEach)});
}

/** The same for a property that takes time. */
export function holdsLater<T>(property: fc.IAsyncProperty<T>, casesEach = 1): Promise<void> {
  return fc.assert(property, {seed: inject('seed'), numRuns: Math.ceil(CASES / casesEach)});
}

/** What a terminal, a spreadsheet, SQL, a shell or a parser may take for more than text. */
const NASTY = [
  '\u001b[2J',
  '\u001b]0;owned\u0007',
  '\u009b31m',
  '\u0000',
  '\u007f',
  '\r\n',
  '\t',
  '\u2028',
  '\u202e',
  '\ud800',
  '👩‍👩‍👧',
  'é',
  '"',
  "'",
  ',',
  ';',
  '\\',
  '=1+1',
  '@',
  '%',
  '_',
  '!',
  '*',
  '?',
  ' | ',
  "' OR 1=1 -- ",
  '`',
  '$(x)',
  '<?php ',
];

/** Any text at all, and text that is made to do harm. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({unit: 'binary', maxLength: 20}),
  fc
    .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({maxLength: 3})), {maxLength: 6})
    .map((parts) => parts.join('')),
);

/** Characters pieced together from what a parser waits for, and any others. */
export function near(...pieces: string[]): fc.Arbitrary<string> {
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(fc.constantFrom(...pieces), {maxLength: 14}).map((parts) => parts.join('')),
    },
    fc.array(fc.oneof(fc.constantFrom(...pieces), anyText), {maxLength: 6}).map((parts) => parts.join('')),
  );
}
