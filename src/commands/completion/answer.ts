import {BaseCommand} from '../../cli/base-command.ts';
import {sharedFlags} from '../../cli/flags/shared-flags.ts';
import {complete} from '../../cli/help/complete.ts';
import {completedCommands, siteFlagWords} from '../../cli/help/completed-commands.ts';
import {askedValues} from '../../cli/help/completed-values.ts';
import {helpSubjects} from '../../cli/help/help-topics.ts';
import {bashReplacement, readShellLine, type ShellLine} from '../../cli/help/shell-line.ts';

/** Short, so that a server that does not answer does not block the shell. */
const TIMEOUT = ['--timeout', '1'];
/** Everything together. */
const MOST_MS = 5000;

/**
 * The scripts in completions/ call it at each completion: `completion:answer -- WORD...`, or `completion:answer --bash --
 * REPLACED LINE` with what readline replaces and the line up to the cursor. The answer is a line with the kind of the
 * completion, and one for each word, with a tab before its description.
 */
export default class CompletionAnswer extends BaseCommand<typeof CompletionAnswer> {
  static override hidden = true;
  static override changes = false;
  static override summary = 'Print the completions of the word at the cursor.';

  #words: string[] = [];
  /** null for a shell that quotes words itself. */
  #bash: {line: ShellLine; replaced: string} | null = null;

  /** The words are another command's: only their site flags are parsed here. */
  override async init(): Promise<void> {
    this.endAfter(MOST_MS);
    this.#words = this.argv.slice(this.argv.indexOf('--') + 1);
    if (this.argv[0] === '--bash') {
      const [replaced = '', typed = ''] = this.#words;
      const line = readShellLine(typed);
      this.#bash = {line, replaced};
      this.#words = line.words.slice(1);
    }
    this.argv = [...siteFlagWords(this.#words), ...TIMEOUT];
    await super.init();
  }

  /** Completion never runs PHP. */
  protected override mayRunPhp(): boolean {
    return false;
  }

  async run(): Promise<void> {
    const {kind, suggestions} = await complete({
      words: this.#words,
      commands: completedCommands(this.config.commands, helpSubjects(this.config)),
      leadingFlags: ['json', ...Object.keys(sharedFlags)],
      ask: (values, line) => askedValues(values, line, this.context),
    });
    const bash = this.#bash;
    const lines = suggestions.flatMap(({word, description}) => {
      if (bash !== null) return bashReplacement(word, bash.line, bash.replaced) ?? [];
      return description === '' ? word : `${word}\t${description}`;
    });
    this.io.stdout.write(`${[kind, ...lines].join('\n')}\n`);
  }

  /** An error message would garble the command line. */
  override async catch(): Promise<void> {
    this.exitWith(1);
  }
}
