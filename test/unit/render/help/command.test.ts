import type {Command} from '@oclif/core';
import {describe, expect, test} from 'vitest';
import manifest from '../../../../oclif.manifest.json' with {type: 'json'};
import packageJson from '../../../../package.json' with {type: 'json'};
import {commandHelp, overviewHelp, type Program} from '../../../../src/cli/help/command-help.ts';
import {helpTopics} from '../../../../src/cli/help/help-topics.ts';
import {renderCommandHelp, renderOverviewHelp} from '../../../../src/render/help/command.ts';
import {renderHelpTopic} from '../../../../src/render/help/topic.ts';

const commands = Object.values(manifest.commands) as unknown as Command.Loadable[];
const shown = commands.filter(({hidden}) => !hidden);
const topics = helpTopics(commands);
const program: Program = {
  bin: 'atomctl',
  purpose: packageJson.description,
  commands,
  topics: Object.entries(packageJson.oclif.topics).map(([name, topic]) => ({...topic, name})),
  helpTopics: Object.keys(topics),
};

function screen(width: number) {
  return {isTTY: true, width, color: false};
}

/** All pages of help by their names. */
function pages(width: number): [string, string][] {
  return [
    ['', renderOverviewHelp(overviewHelp(program), screen(width))],
    ...program.topics.map(({name}): [string, string] => [
      name,
      renderOverviewHelp(overviewHelp(program, {name}), screen(width)),
    ]),
    ...Object.entries(topics).map(([name, topic]): [string, string] => [name, renderHelpTopic(topic, width)]),
    ...shown.map((command): [string, string] => [
      command.id,
      renderCommandHelp(commandHelp(command, program, false), screen(width)),
    ]),
    ...shown.map((command): [string, string] => [
      `${command.id} --help-all`,
      renderCommandHelp(commandHelp(command, program, true), screen(width)),
    ]),
  ];
}

/** Lines whose first word would have fitted on the line before; not those of examples, which are command lines. */
function earlyBreaks(text: string, width: number): string[] {
  const lines = text.replace(/^EXAMPLES\n(?:.+\n)+/m, '').split('\n');
  return lines.filter((line, index) => {
    const before = lines[index - 1] ?? '';
    const [, indent, word] = /^( +)(\S+)/.exec(line) ?? [];
    if (indent === undefined || /\S {2,}\S/.test(line)) return false;
    if (word!.startsWith('-') && indent.length <= 6) return false;
    const column = indent.length;
    const goesOn =
      /^ *\S/.exec(before)?.[0].length === column + 1 || /^ {2}\S/.test(before.slice(column - 2));
    return goesOn && before.length + 1 + word!.length <= width;
  });
}

test('the list of commands ends with the one to begin with', () => {
  expect(pages(80)[0]![1].split('\n').slice(-3)).toEqual(['', 'Begin with: atomctl doctor', '']);
});

describe('D11: help on a screen of', () => {
  test.each([80, 60])('%d columns is wrapped once', (width) => {
    for (const [name, text] of pages(width)) {
      // A word that is too wide stays whole, alone in its line.
      const wide = text.split('\n').filter((line) => line.length > width && /\S \S/.test(line));
      expect([name, wide]).toEqual([name, []]);
      expect([name, earlyBreaks(text, width)]).toEqual([name, []]);
    }
  });

  test('80 columns and 24 lines is two screens at most for a command', () => {
    const lines = (command: Command.Loadable) =>
      renderCommandHelp(commandHelp(command, program, false), screen(80)).split('\n').length - 1;
    expect(shown.filter((command) => lines(command) > 48).map(({id}) => id)).toEqual([]);
  });
});

test('an example that is wider than the screen goes on after a backslash, and not inside quotes', () => {
  const help = {
    ...commandHelp(shown[0]!, program, false),
    examples: [{term: `atomctl jobs:kill 500 --reason "stuck since Monday" --yes`, meaning: 'End it'}],
  };
  expect(renderCommandHelp(help, screen(40))).toContain(
    `  End it\n    atomctl jobs:kill 500 --reason \\\n      "stuck since Monday" --yes\n`,
  );
});
