import type {Command} from '@oclif/core';
import {AtomctlError, EXIT} from '../errors.ts';
import {renderError, renderErrorDocument} from '../render/error.ts';
import {errorScreen} from './io.ts';
import {maskPasswords, secretsIn} from './mask.ts';

/** Reports that no command has this name, with the nearest one that exists, and ends the process with exit status 2. */
export function commandNotFound({
  id,
  argv,
  commands,
}: {
  id: string;
  argv: readonly string[];
  commands: readonly Command.Loadable[];
}): never {
  const known = commands.filter(({hidden}) => !hidden).map((command) => command.id);
  const nearest = known
    .map((name) => ({name, distance: editDistance(id, name)}))
    .sort((a, b) => a.distance - b.distance)[0];
  const error = new AtomctlError(
    'USAGE',
    `There is no command ${JSON.stringify(maskPasswords(id, secretsIn([id, ...argv])))}.`,
    {
      hint:
        nearest !== undefined && nearest.distance <= 3
          ? `Did you mean ${nearest.name}?`
          : 'See the commands with: atomctl --help',
    },
  );
  if (argv.includes('--json')) process.stdout.write(renderErrorDocument(error));
  else process.stderr.write(renderError(error, errorScreen(process, argv)));
  process.exit(EXIT.usage);
}

/** Levenshtein distance: how many letters to insert, delete or replace to turn one word into the other. */
function editDistance(one: string, other: string): number {
  let previous = Array.from({length: other.length + 1}, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (let column = 0; column < other.length; column += 1) {
      const change = previous[column]! + (letter === other[column] ? 0 : 1);
      current.push(Math.min(change, previous[column + 1]! + 1, current[column]! + 1));
    }
    previous = current;
  }
  return previous[other.length]!;
}
