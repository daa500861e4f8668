import type {Command} from '@oclif/core';
import type {CommandHelp, OverviewHelp} from '../../render/help/command.ts';
import type {Term} from '../../render/help/terms.ts';
import {
  alignedTerms,
  COMMON_GROUPS,
  FILTER_GROUP,
  paragraphsOf,
  shownFlags,
  usageAndExamples,
} from './flag-terms.ts';

/** The program that the help is about. */
export interface Program {
  bin: string;
  purpose: string;
  commands: readonly Command.Loadable[];
  /** Topics of commands, by name with what they are about. */
  topics: readonly {name: string; description?: string}[];
  /** Names of the topics of `help`. */
  helpTopics: readonly string[];
}

/** A command's help: a screen or two, or with `whole` all that there is to say. */
export function commandHelp(command: Command.Loadable, {bin}: Program, whole: boolean): CommandHelp {
  const flags = shownFlags(command);
  const groups = [...new Set(flags.map(({helpGroup = ''}) => helpGroup))];
  const ofGroup = (group: string) => flags.filter(({helpGroup = ''}) => helpGroup === group);
  const described = groups.filter((group) => whole || isDescribed(group, command));
  const others = groups.filter((group) => !described.includes(group));
  const {usage, examples} = usageAndExamples(command, bin);
  const details = `All flags, details and exit statuses: ${bin} ${command.id} --help-all`;
  const filters = `How filters work: ${bin} help filters`;
  return {
    summary: command.summary ?? '',
    usage: `${bin} ${usage}`,
    examples,
    described: [
      {title: 'ARGUMENTS', terms: argumentTerms(command)},
      ...described.map((group) => ({title: `${group} FLAGS`.trim(), terms: alignedTerms(ofGroup(group))})),
    ],
    otherFlags: others.map((group) => ({
      term: group.toLowerCase(),
      meaning: ofGroup(group)
        .map(({name}) => `--${name}`)
        .join(', '),
    })),
    description: whole ? paragraphsOf(command) : [],
    more: [...(others.length > 0 ? [details] : []), ...(groups.includes(FILTER_GROUP) ? [filters] : [])],
  };
}

/** Groups that many commands have, or that few users need. */
const FOLDED_GROUPS = [FILTER_GROUP, ...COMMON_GROUPS, 'PACE'];

/** Whether short help describes the flags of the group. Units are what the commands on workers are about. */
function isDescribed(group: string, {id}: Command.Loadable): boolean {
  return group === 'UNIT' ? topicOf(id) === 'worker' : !FOLDED_GROUPS.includes(group);
}

function argumentTerms({args}: Command.Loadable): Term[] {
  return Object.values(args)
    .filter(({hidden}) => !hidden)
    .map(({name, multiple, description = ''}) => ({
      term: `${name.toUpperCase()}${multiple ? '...' : ''}`,
      meaning: description,
    }));
}

/** The commands of the program, or those of one topic. */
export function overviewHelp(
  {bin, purpose, commands, topics, helpTopics}: Program,
  topic?: {name: string; description?: string},
): OverviewHelp {
  const ofTopic = (name: string) => commands.filter(({id, hidden}) => !hidden && topicOf(id) === name);
  const terms = (name: string) => ofTopic(name).map(({id, summary = ''}) => ({term: id, meaning: summary}));
  const names = topic === undefined ? [...topics.map(({name}) => name), ''] : [topic.name];
  return {
    purpose: topic === undefined ? purpose : `${topic.description}.`,
    usage: `${bin} ${topic === undefined ? '' : `${topic.name}:`}COMMAND [ARGUMENT...] [FLAG...]`,
    commands: names.map(terms),
    more: [
      {
        term: `${bin} COMMAND --help`,
        meaning: 'Shows usage, examples and flags; --help-all shows everything.',
      },
      {term: `${bin} help TOPIC`, meaning: `Topics: ${helpTopics.join(', ')}.`},
    ],
    begin: topic === undefined ? `Begin with: ${bin} doctor` : null,
  };
}

function topicOf(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf(':')));
}
