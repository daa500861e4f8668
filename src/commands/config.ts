import {siteDocument} from '../atom/site-document.ts';
import {allSitesFlag} from '../cli/all-sites.ts';
import {BaseCommand} from '../cli/base-command.ts';
import {EXIT} from '../errors.ts';
import {renderSite} from '../render/site.ts';

export default class Config extends BaseCommand<typeof Config> {
  static override changes = false;
  static override summary =
    'Show which site, database, Gearman servers, prefix and timezone are in use, and why.';
  static override description =
    `For each value the winner and where it came from. Precedence: flag, atomctl's environment, AtoM's container environment, the named site, AtoM's files, default. Secrets are masked. Nothing is connected to, unless the prefix cannot be known otherwise: AtoM before 2.5.2 makes it from the database, and auto or a site without a root asks Gearman.

Exit status: 0 shown, 2 a value is wrong: it is named with its origin.`;
  static override examples = [
    {description: 'Which database and which prefix?', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Where does the timezone come from?',
      command: '<%= config.bin %> <%= command.id %> --json | jq .timezone',
    },
    {
      description: 'The settings of every site of the configuration file',
      command: '<%= config.bin %> <%= command.id %> --all-sites',
    },
  ];

  static override flags = {'all-sites': allSitesFlag()};

  async run(): Promise<void> {
    await this.answer(async (context) => {
      const document = await siteDocument(await context.site());
      return {document, text: (screen) => renderSite(document, screen), exitStatus: EXIT.ok};
    }, this.flags['all-sites']);
  }
}
