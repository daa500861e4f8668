import {createHash} from 'node:crypto';
import {chmod, mkdir, realpath, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {MariadbConnection} from './mariadb.ts';

/** The job classes that the stock worker takes, as gearman.yml lists them. */
export const WORKER_CLASSES = [
  'arFindingAidJob',
  'arInheritRightsJob',
  'arUpdateEsActorRelationsJob',
  'arCalculateDescendantDatesJob',
  'arObjectMoveJob',
  'arInformationObjectCsvExportJob',
  'arInformationObjectXmlExportJob',
  'arActorCsvExportJob',
  'arActorXmlExportJob',
  'arRepositoryCsvExportJob',
  'arUpdatePublicationStatusJob',
  'arFileImportJob',
  'arXmlExportSingleFileJob',
  'arGenerateReportJob',
  'arUpdateEsIoDocumentsJob',
  'arPhysicalObjectCsvHoldingsReportJob',
  'arValidateCsvJob',
] as const;

export interface AtomRootOptions {
  server: MariadbConnection;
  databaseName: string;
  /** `host:port` of each server. */
  gearman: readonly string[];
  timezone: string;
  workersKey: string | null;
  workerTypes: Readonly<Record<string, readonly string[]>>;
}

/** The prefix of this site's Gearman functions: md5 of the root's path and the key, without a dash. */
export function functionPrefix(root: string, workersKey: string | null): string {
  return createHash('md5')
    .update(`${root}${workersKey ?? ''}`)
    .digest('hex');
}

/**
 * Writes the files by which an AtoM installation is known and configured, as its installer leaves them, and a
 * `symfony` whose `jobs:worker` is the sandbox's own worker. Returns the root with its symbolic links resolved.
 */
export async function writeAtomRoot(directory: string, options: AtomRootOptions): Promise<string> {
  await mkdir(join(directory, 'downloads/jobs'), {recursive: true});
  await mkdir(join(directory, 'cache'));
  const root = await realpath(directory);
  for (const [path, text] of Object.entries(atomFiles(root, options))) {
    await mkdir(dirname(join(root, path)), {recursive: true});
    await writeFile(join(root, path), text);
  }
  await chmod(join(root, 'symfony'), 0o755);
  return root;
}

function atomFiles(root: string, options: AtomRootOptions): Record<string, string> {
  return {
    symfony: SYMFONY,
    'config/ProjectConfiguration.class.php':
      '<?php\n\nclass ProjectConfiguration extends sfProjectConfiguration\n{\n}\n',
    'config/config.php': configPhp(options),
    'apps/qubit/config/gearman.yml': gearmanYml(options),
    'apps/qubit/config/settings.yml': settingsYml(options.timezone),
    'apps/qubit/config/app.yml': appYml(options.workersKey),
    'config/sandbox.json': JSON.stringify(workerSettings(root, options), null, 2),
  };
}

/** What the sandbox's worker reads instead of AtoM's own files. */
function workerSettings(root: string, options: AtomRootOptions): object {
  const {server, databaseName, gearman, timezone, workersKey, workerTypes} = options;
  const {host, port, user, password} = server;
  return {
    database: {host, port, user, password, database: databaseName},
    gearman,
    prefix: functionPrefix(root, workersKey),
    timezone,
    workerTypes,
  };
}

/** PHP hands itself over to the worker script, so that the process keeps its id and its service unit. */
const SYMFONY = `#!/usr/bin/env php
<?php

if (($argv[1] ?? '') !== 'jobs:worker') {
    fwrite(STDERR, "Task \\"".($argv[1] ?? '')."\\" is not defined.\\n");
    exit(1);
}
$node = trim((string) shell_exec('command -v node'));
pcntl_exec($node, array_merge([${phpString(fileURLToPath(new URL('./atom-worker.mjs', import.meta.url)))}, __DIR__], array_slice($argv, 2)));
`;

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

function gearmanYml({gearman, workerTypes}: AtomRootOptions): string {
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

function appYml(workersKey: string | null): string {
  return `all:
  upload_limit: -1
  workers_key: ${workersKey === null ? '' : `'${workersKey}'`}
`;
}

function phpString(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
