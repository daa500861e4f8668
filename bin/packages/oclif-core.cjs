'use strict';
/** What atomctl uses of oclif. The package's main module also evaluates what develops and updates a CLI. */
module.exports = {
  Args: require('@oclif/core/args'),
  Command: require('@oclif/core/command').Command,
  Config: require('@oclif/core/config').Config,
  Flags: require('@oclif/core/flags'),
  settings: require('@oclif/core/settings').settings,
};
