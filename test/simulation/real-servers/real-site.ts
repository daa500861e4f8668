import {lutimesSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {RunningRow} from '../../../src/jobs/model/running-jobs.ts';
import type {MariadbConnection} from '../../support/servers/mariadb.ts';
import {ADMIN_ID} from '../../support/site/atom-jobs.ts';
import {appYml, functionPrefix, gearmanYml, writeAtomRoot} from '../../support/site/atom-root.ts';
import {type AtomSite, createAtomSite} from '../../support/site/atom-site.ts';
import type {Cache, Release, Row} from '../atom-site.ts';
import {ABILITIES} from '../classes.ts';
import type {Setup} from '../world.ts';
import {type HistoryClock, ZONE} from './history-clock.ts';
import {FIRST_ID} from './real-payload.ts';

const STATUS_IDS = {running: 183, completed: 184, error: 185} as const;

/** gearmand offers the function first that was registered last. */
const WORKER_TYPES = {general: [...ABILITIES].reverse()};

/** What a row of the database shows of a job. */
export type StoredRow = Pick<RunningRow, 'id'> & {status_id: number; output: string | null};

/**
 * The database and the roots of a site: `atom` is a link to the release in use, as a deploy leaves it. Each file that
 * atomctl asks for its time has the time of the history.
 */
export class RealSite {
  /** The link. */
  readonly link: string;
  private written: Release | null = null;
  private readonly roots = new Map<string, string>();

  private constructor(
    readonly site: AtomSite,
    private readonly mariadb: MariadbConnection,
    private readonly setup: Setup,
    private readonly clock: HistoryClock,
    private readonly endpointOf: (address: string) => string,
  ) {
    this.link = join(dirname(site.root), 'atom');
    mkdirSync(this.uploads);
  }

  static async create(
    mariadb: MariadbConnection,
    options: {
      setup: Setup;
      clock: HistoryClock;
      endpointOf: (address: string) => string;
      gearman: readonly string[];
    },
  ): Promise<RealSite> {
    const {setup, clock, endpointOf, gearman} = options;
    const site = await createAtomSite(mariadb, {
      ...RealSite.files(setup),
      name: 'first',
      gearman,
    });
    return new RealSite(site, mariadb, setup, clock, endpointOf);
  }

  private static files({version}: Setup) {
    return {
      version: version === '2.6' ? '2.6.4' : '2.8.2',
      timezone: ZONE,
      workersKey: null,
      workerTypes: WORKER_TYPES,
    };
  }

  /** The root in use, links resolved. */
  get root(): string {
    return this.written === null ? this.site.root : this.roots.get(this.written.root)!;
  }

  /** Where uploads of imports are, whatever the release. */
  get uploads(): string {
    return join(dirname(this.site.root), 'uploads');
  }

  /** The prefix that a root of the model and a key give, with its dash. */
  prefixOf(root: string, workersKey: string): string {
    return `${functionPrefix(this.roots.get(root)!, workersKey)}-`;
  }

  /** Writes what has changed in the release: its files, the caches, the link. */
  async write(release: Release, nowMs: number): Promise<void> {
    const {written} = this;
    this.written = structuredClone(release);
    if (written?.root !== release.root) await this.deploy(release);
    const {root} = this;
    const {yaml, yamlWrittenMs} = release;
    if (JSON.stringify(written?.yaml) !== JSON.stringify(yaml) || written?.root !== release.root) {
      const gearman = yaml.servers.map(this.endpointOf);
      this.writeFile(
        'apps/qubit/config/gearman.yml',
        gearmanYml({gearman, workerTypes: WORKER_TYPES}),
        yamlWrittenMs,
      );
      this.writeFile('apps/qubit/config/app.yml', appYml(yaml.workersKey), yamlWrittenMs);
    }
    const emptied =
      written?.root === release.root &&
      ((written.web && !release.web) || (written.worker && !release.worker));
    if (emptied) {
      for (const environment of ['prod', 'worker'])
        rmSync(join(root, 'cache/qubit', environment), {recursive: true, force: true});
      this.date(['cache', 'cache/qubit'], nowMs);
    }
    this.compile('prod', release.web, written?.root === release.root ? written.web : null);
    this.compile('worker', release.worker, written?.root === release.root ? written.worker : null);
  }

  private async deploy({root, movedMs, yamlWrittenMs, yaml}: Release): Promise<void> {
    if (this.roots.size === 0) this.roots.set(root, this.site.root);
    else {
      const directory = join(dirname(this.site.root), `release-${this.roots.size}`);
      const {databaseName, gearman} = this.site;
      mkdirSync(directory);
      this.roots.set(
        root,
        await writeAtomRoot(directory, {
          ...RealSite.files(this.setup),
          server: this.mariadb,
          databaseName,
          gearman,
          workersKey: yaml.workersKey,
        }),
      );
    }
    rmSync(this.link, {force: true});
    symlinkSync(this.root, this.link);
    const moved = this.clock.real(movedMs) / 1000;
    lutimesSync(this.link, moved, moved);
    this.date(['apps/qubit/config', 'config'], yamlWrittenMs);
    this.date(['cache'], Math.min(movedMs, yamlWrittenMs));
  }

  /** What AtoM writes at the first use of a configuration. */
  private compile(environment: string, cache: Cache | null, before: Cache | null): void {
    if (!cache || cache.writtenMs === before?.writtenMs) return;
    const directory = `cache/qubit/${environment}/config`;
    mkdirSync(join(this.root, directory), {recursive: true});
    const list = (names: readonly string[]) => `array(${names.map((name) => `'${name}'`).join(', ')})`;
    const gearman = `<?php\nreturn array('servers' => ${list(cache.servers.map(this.endpointOf))}, 'worker_types' => array('general' => ${list(WORKER_TYPES.general)}));\n`;
    const app = `<?php\nsfConfig::add(array('app_workers_key' => '${cache.workersKey}'));\n`;
    this.writeFile(`${directory}/config_gearman.yml.php`, gearman, cache.writtenMs);
    this.writeFile(`${directory}/config_app.yml.php`, app, cache.writtenMs);
    this.date(['cache', 'cache/qubit'], cache.writtenMs);
  }

  private writeFile(path: string, text: string, modelMs: number): void {
    writeFileSync(join(this.root, path), text);
    this.date([path], modelMs);
  }

  private date(paths: readonly string[], modelMs: number): void {
    const seconds = this.clock.real(modelMs) / 1000;
    for (const path of paths) {
      try {
        utimesSync(join(this.root, path), seconds, seconds);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /** QubitJob::runJob up to its commit, and the upload of an import. */
  async insert({id, job, objectId, createdMs}: Row, upload: string | null): Promise<void> {
    const at = this.clock.wall(createdMs);
    const query = this.site.query;
    const object = 'INSERT INTO object (id, class_name, created_at, updated_at) VALUES (?, ?, ?, ?)';
    if (objectId !== null) await query(object, [objectId, 'QubitInformationObject', at, at]);
    await query(object, [FIRST_ID + id, 'QubitJob', at, at]);
    await query('INSERT INTO job (id, name, user_id, object_id, status_id) VALUES (?, ?, ?, ?, 183)', [
      FIRST_ID + id,
      job.name,
      ADMIN_ID,
      objectId,
    ]);
    if (upload !== null) this.upload(upload);
  }

  /** The file of an import; its worker deletes it after a success, and the model's imports do not need it. */
  upload(file: string): void {
    writeFileSync(file, 'legacyId,title\n1,Letters\n');
  }

  async save(id: number, status: Row['status'], nowMs: number): Promise<void> {
    const at = status === 'running' ? null : this.clock.wall(nowMs);
    await this.site.query('UPDATE job SET status_id = ?, completed_at = ? WHERE id = ?', [
      STATUS_IDS[status],
      at,
      FIRST_ID + id,
    ]);
  }

  async delete(id: number): Promise<void> {
    await this.site.query('DELETE FROM object WHERE id = ?', [FIRST_ID + id]);
  }

  /** The row of a job of the second site, of which the model has the id alone. */
  async ensureRow(id: number, name: string, nowMs: number): Promise<void> {
    const at = this.clock.wall(nowMs);
    await this.site.query(
      'INSERT IGNORE INTO object (id, class_name, created_at, updated_at) VALUES (?, ?, ?, ?)',
      [FIRST_ID + id, 'QubitJob', at, at],
    );
    await this.site.query('INSERT IGNORE INTO job (id, name, user_id, status_id) VALUES (?, ?, ?, 183)', [
      FIRST_ID + id,
      name,
      ADMIN_ID,
    ]);
  }

  async rows(): Promise<Map<number, StoredRow>> {
    const rows = await this.site.query<StoredRow>('SELECT id, status_id, output FROM job');
    return new Map(rows.map((row) => [Number(row.id) - FIRST_ID, row]));
  }
}

export {STATUS_IDS};
