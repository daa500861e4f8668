import {Command} from '@oclif/core';
import {renderError} from '../render/error.ts';
import {sanitizeBlock} from '../render/sanitize.ts';
import {debugEnabled} from './debug.ts';
import {debugTrace, toAtomctlError} from './failure.ts';
import {secretsIn} from './mask.ts';
import {errorScreen, processIO} from './terminal/io.ts';

/** A command that asks no site and so has none of the shared flags. Its errors are shown as those of BaseCommand are. */
export abstract class PlainCommand extends Command {
  override async catch(thrown: Error): Promise<void> {
    const error = toAtomctlError(thrown, process.argv, {id: this.id ?? '', flags: {help: {}}});
    if (debugEnabled)
      processIO.stderr.write(`${sanitizeBlock(debugTrace(thrown, secretsIn(process.argv)))}\n`);
    processIO.stderr.write(renderError(error, errorScreen(processIO, this.argv)));
    process.exitCode = error.exitStatus;
  }
}
