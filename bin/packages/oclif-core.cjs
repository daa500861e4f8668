'use strict';
/** What atomctl uses of oclif. The package's main module also evaluates what develops and updates a CLI. */
module.exports = {
  Args: require('@oclif/core/args'),
  Command: require('@oclif/core/command').Command,
  Flags: require('@oclif/core/flags'),
  execute: (options) => require('@oclif/core/execute').execute(options),
  settings: require('@oclif/core/settings').settings,
};
