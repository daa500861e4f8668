import {manual} from '../cli/help/manual.ts';
import {PlainCommand} from '../cli/plain-command.ts';
import {processIO} from '../cli/terminal/io.ts';
import {renderManPage} from '../render/help/man-page.ts';

/** Prints the manual page, for `man -l -`. bin/man.js writes man/atomctl.1 with it. */
export default class Man extends PlainCommand {
  static override hidden = true;
  static changes = false;
  static override summary = 'Print the manual page: atomctl man | man -l -';

  async run(): Promise<void> {
    await this.parse(Man);
    processIO.stdout.write(renderManPage(manual(this.config)));
  }
}
