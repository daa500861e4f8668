import {BaseCommand} from '../../cli/base-command.ts';
import {sharedFlags} from '../../cli/flags/shared-flags.ts';
import {complete, type Suggestion} from '../../cli/help/complete.ts';
import {completedCommands, siteFlagWords} from '../../cli/help/completed-commands.ts';
import {sanitizeLine} from '../../render/sanitize.ts';

/** Short, so that a database that does not answer does not block the shell. */
const TIMEOUT = ['--timeout', '1'];

/** The scripts in completions/ call it at each completion: `completion:answer -- WORD...`. */
export default class CompletionAnswer extends BaseCommand<typeof CompletionAnswer> {
  static override hidden = true;
  static override changes = false;
  static override summary = 'Print what completes the word at the cursor.';

  #words: string[] = [];

  /** The words are another command's: only their site flags are parsed here. */
  override async init(): Promise<void> {
    this.#words = this.argv.slice(this.argv.indexOf('--') + 1);
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
      commands: completedCommands(this.config.commands),
      leadingFlags: ['json', ...Object.keys(sharedFlags)],
      jobs: () => this.#jobs(),
      sites: () => this.#sites(),
    });
    const lines = suggestions.map(({word, description}) =>
      description === '' ? word : `${word}\t${description}`,
    );
    this.io.stdout.write(`${[kind, ...lines].join('\n')}\n`);
  }

  async #jobs(): Promise<Suggestion[]> {
    const {runningNames} = await import('../../jobs/model/running-jobs.ts');
    const jobs = await runningNames(await this.context.database());
    return jobs.map(({id, name}) => ({word: String(id), description: sanitizeLine(name)}));
  }

  async #sites(): Promise<Suggestion[]> {
    const sites = await this.context.namedSites();
    return sites.map(({name, origin}) => ({word: sanitizeLine(name), description: sanitizeLine(origin)}));
  }

  /** An error message would garble the command line. */
  override async catch(): Promise<void> {
    this.exitWith(1);
  }
}
