import {siteDocument} from '../atom/site-document.ts';
import {BaseCommand} from '../cli/base-command.ts';
import {allSitesFlag} from '../cli/site/all-sites.ts';
import {EXIT} from '../errors.ts';
import {renderSite} from '../render/site.ts';

export default class Config extends BaseCommand<typeof Config> {
  static override changes = false;
  static override summary =
    'Show the site, database, Gearman servers, prefix and timezone in use, and where each comes from.';
  static override description =
    `Shows each value that is used and where it comes from. The order of precedence is: flag, atomctl's environment, AtoM's container environment, the named site, AtoM's files, default. Secrets are masked. atomctl connects to a server only if it needs it to find the prefix: AtoM before 2.5.2 computes the prefix from the database; with auto, and for a site without a root, atomctl asks Gearman.

Exit status: 0 shown, 2 a value is not valid; the error names it and its origin.`;
  static override examples = [
    {
      description: 'Show the database, the prefix and everything else',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Show where the timezone comes from',
      command: '<%= config.bin %> <%= command.id %> --json | jq .timezone',
    },
    {
      description: 'Show the settings of every site of the configuration file',
      command: '<%= config.bin %> <%= command.id %> --all-sites',
    },
  ];

  static override flags = {'all-sites': allSitesFlag()};

  async run(): Promise<void> {
    await this.answer(async (context) => {
      const site = await context.site();
      const document = await siteDocument(site);
      if (document.root.value === null && document.database.value === null)
        await site.requireRoot().catch((error) => this.notice([error.message, error.hint].join(' ')));
      return {document, text: (screen) => renderSite(document, screen), exitStatus: EXIT.ok};
    }, this.flags['all-sites']);
  }
}
