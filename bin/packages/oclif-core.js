// What atomctl uses of oclif. The package's main module also loads what develops and updates a CLI.
export * as Args from '@oclif/core/args';
export {Command} from '@oclif/core/command';
export {execute} from '@oclif/core/execute';
export * as Flags from '@oclif/core/flags';
export {loadHelpClass} from '@oclif/core/help';
export {settings} from '@oclif/core/settings';
