import {allSitesFlag} from '../../cli/all-sites.ts';
import {BaseCommand} from '../../cli/base-command.ts';
import {filterFlags} from '../../cli/flags/filter-flags.ts';
import {listFlags, pageFlags} from '../../cli/flags/list-flags.ts';
import {
  fetchListing,
  listingColumns,
  listingDocument,
  renderListing,
  renderListingCsv,
  watchedListing,
} from '../../cli/job-listing.ts';
import {watch, watchFlag} from '../../cli/polling/watch.ts';
import {EXIT} from '../../errors.ts';
import type {Screen} from '../../render/screen.ts';

export default class JobsList extends BaseCommand<typeof JobsList> {
  static override summary = 'List the jobs, newest first.';
  static override description =
    `The Manage > Jobs page in a shell: filtered, sorted, paged. For running jobs the column LIVE says what they
really are: executing, queued, lost (no Gearman server knows the job, and no worker can be running it) or uncertain.

The line under the table says how many jobs there are. Of more than about 200,000 without a filter it gives the
database's own estimate, and says so; --json counts them.

Exit status: 0 listed, 2 usage error, 3 database unreachable, 130 a watch was interrupted.`;
  static override examples = [
    {
      description: 'What is running, and what is it really doing?',
      command: '<%= config.bin %> <%= command.id %> --running',
    },
    {
      description: 'Failed imports of the last month, as JSON',
      command: "<%= config.bin %> <%= command.id %> --failed --name '*Import*' --since 2026-10-23 --json",
    },
  ];
  static override flags = {
    ...filterFlags,
    ...pageFlags,
    ...listFlags,
    // A probe takes jobs and gives them back, and every return counts as a retry.
    watch: watchFlag(['csv', 'probe']),
    'all-sites': allSitesFlag(['watch', 'csv']),
  };

  async run(): Promise<void> {
    const {flags, context} = this;
    const notice = (text: string) => this.notice(text);
    listingColumns(flags);
    const counting = this.jsonEnabled() ? 'exact' : flags.csv || flags.quiet ? 'none' : 'quick';
    if (flags.csv) {
      await this.print(renderListingCsv(await fetchListing(context, flags, {counting, notice}), flags));
      return;
    }
    if (flags.watch === undefined) {
      await this.answer(async (site, tell) => {
        const list = await fetchListing(site, flags, {counting, notice: tell});
        const text = (screen: Screen) => renderListing(list, flags, screen);
        return {document: listingDocument(list), text, exitStatus: EXIT.ok};
      }, flags['all-sites']);
      return;
    }
    const watched = {...watchedListing(flags, counting), seconds: flags.watch};
    const {stdin, stdout} = process;
    const place = {json: this.jsonEnabled(), screen: () => this.screen, stdin, stdout, notice};
    this.exitWith(await watch(context, watched, place));
  }
}
