import {BaseCommand} from '../../cli/base-command.ts';
import {sharedFlags} from '../../cli/flags/shared-flags.ts';
import {complete, type Suggestion} from '../../cli/help/complete.ts';
import {completedCommands, siteFlagWords} from '../../cli/help/completed-commands.ts';
import {sanitizeLine} from '../../render/sanitize.ts';

/** A database that does not answer must not hold up the shell. */
const PATIENCE = ['--timeout', '1'];

/** What the scripts in completions/ ask at every press of the key: `completion:answer -- WORD...`. */
export default class CompletionAnswer extends BaseCommand<typeof CompletionAnswer> {
  static override hidden = true;
  static override summary = 'Answer what may stand where the cursor is.';

  #words: string[] = [];

  /** The words are those of another command; only what they say of the site is for this one. */
  override async init(): Promise<void> {
    this.#words = this.argv.slice(this.argv.indexOf('--') + 1);
    this.argv = [...siteFlagWords(this.#words), ...PATIENCE];
    await super.init();
  }

  /** A press of a key runs nothing. */
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
    process.stdout.write(`${[kind, ...lines].join('\n')}\n`);
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

  /** In the middle of a command line there is no place for a message. */
  override async catch(): Promise<void> {
    process.exitCode = 1;
  }
}
