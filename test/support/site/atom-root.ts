import {createHash} from 'node:crypto';
import {chmod, mkdir, realpath, utimes, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {MariadbConnection} from '../servers/mariadb.ts';

/** The job classes that the stock worker takes, as gearman.yml lists them. */
export const WORKER_CLASSES = [
  'arFindingAidJob',
  'arInheritRightsJob',
  'arUpdateEsActorRelationsJob',
  'arCalculateDescendantDatesJob',
  'arObjectMoveJob',
  'arInformationObjectCsvExportJob',
  'arUpdatePublicationStatusJob',
  'arFileImportJob',
  'arInformationObjectXmlExportJob',
  'arXmlExportSingleFileJob',
  'arGenerateReportJob',
  'arActorCsvExportJob',
  'arActorXmlExportJob',
  'arRepositoryCsvExportJob',
  'arUpdateEsIoDocumentsJob',
  'arPhysicalObjectCsvHoldingsReportJob',
  'arValidateCsvJob',
] as const;

/** Directories that a worker of another account writes into. */
const WRITABLE = ['downloads/jobs', 'uploads/tmp', 'sandbox/jobs', 'sandbox/started'];

export interface AtomRootOptions {
  server: MariadbConnection;
  databaseName: string;
  /** `host:port` of each server. */
  gearman: readonly string[];
  timezone: string;
  /** AtoM's own version, `x.y.z`. */
  version: string;
  workersKey: string | null;
  workerTypes: Readonly<Record<string, readonly string[]>>;
}

/** The prefix of this site's Gearman functions: md5 of the root's path and the key, without a dash. */
export function functionPrefix(root: string, workersKey: string | null): string {
  return createHash('md5')
    .update(`${root}${workersKey ?? ''}`)
    .digest('hex');
}

/** Before any job of a sandbox: a configuration that is newer than a job leaves open where the job was submitted. */
const LONG_AGO = new Date('2019-01-01');

/**
 * Writes the files by which an AtoM installation is known and configured, as its installer leaves them, and a
 * `symfony` of the sandbox's own. `sandbox/` is not AtoM's: there tests say what a job does, and workers which jobs
 * they began. Returns the root with its symbolic links resolved.
 */
export async function writeAtomRoot(directory: string, options: AtomRootOptions): Promise<string> {
  for (const path of WRITABLE) {
    await mkdir(join(directory, path), {recursive: true});
    await chmod(join(directory, path), 0o777);
  }
  await mkdir(join(directory, 'cache'));
  const root = await realpath(directory);
  for (const [path, text] of Object.entries(atomFiles(options))) {
    await mkdir(dirname(join(root, path)), {recursive: true});
    await writeFile(join(root, path), text);
    await utimes(join(root, path), LONG_AGO, LONG_AGO);
  }
  for (const path of ['config', 'apps/qubit/config', 'cache'])
    await utimes(join(root, path), LONG_AGO, LONG_AGO);
  await chmod(join(root, 'symfony'), 0o755);
  return root;
}

function atomFiles(options: AtomRootOptions): Record<string, string> {
  return {
    symfony: SYMFONY,
    'config/ProjectConfiguration.class.php':
      '<?php\n\nclass ProjectConfiguration extends sfProjectConfiguration\n{\n}\n',
    'config/config.php': configPhp(options),
    'apps/qubit/config/gearman.yml': gearmanYml(options),
    'apps/qubit/config/settings.yml': settingsYml(options.timezone),
    'apps/qubit/config/app.yml': appYml(options.workersKey),
    'apps/qubit/config/qubitConfiguration.class.php': versionPhp(options.version),
  };
}

/** AtoM's own command line, as far as workers need it. */
const SYMFONY = `#!/usr/bin/env php
<?php

require ${phpString(fileURLToPath(new URL('../php/tasks.php', import.meta.url)))};
exit(runTask(__DIR__, array_slice($argv, 1)));
`;

/** Up to 2.6, a comment stands between the words. */
function versionPhp(version: string): string {
  const [major, minor] = version.split('.').map(Number);
  const constant =
    major! > 2 || minor! >= 7
      ? `    // Required format: x.y.z\n    public const VERSION = '${version}';\n`
      : `  const\n    // Required format: x.y.z\n    VERSION = '${version}';\n`;
  return `<?php\n\nclass qubitConfiguration extends sfApplicationConfiguration\n{\n${constant}}\n`;
}

function configPhp({server, databaseName}: AtomRootOptions): string {
  const dsn = `mysql:dbname=${databaseName};host=${server.host};port=${server.port}`;
  return `<?php

return [
    'all' => [
        'propel' => [
            'class' => 'sfPropelDatabase',
            'param' => [
                'encoding' => 'utf8mb4',
                'persistent' => true,
                'pooling' => true,
                'dsn' => ${phpString(dsn)},
                'username' => ${phpString(server.user)},
                'password' => ${phpString(server.password)},
            ],
        ],
    ],
];
`;
}

export function gearmanYml({gearman, workerTypes}: Pick<AtomRootOptions, 'gearman' | 'workerTypes'>): string {
  const servers = gearman.map(
    (endpoint, index) => `    ${index === 0 ? 'default' : `server${index + 1}`}: ${endpoint}`,
  );
  const types = Object.entries(workerTypes).flatMap(([type, classes]) => [
    `    ${type}:`,
    ...classes.map((name) => `      - ${name}`),
  ]);
  return ['all:', '  servers:', ...servers, '', '  worker_types:', ...types, ''].join('\n');
}

function settingsYml(timezone: string): string {
  return `prod:
  .settings:
    no_script_name: true
    error_reporting: <?php echo (E_ALL & ~E_NOTICE)."\\n"; ?>

all:
  .settings:
    default_culture: en
    default_timezone: ${timezone}
    i18n: on
    upload_dir: %SF_WEB_DIR%/uploads
`;
}

export function appYml(workersKey: string | null): string {
  return `all:
  upload_limit: -1
  workers_key: ${workersKey === null ? '' : `'${workersKey}'`}
`;
}

function phpString(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
