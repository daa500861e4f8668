<?php

/** The job's work failed: its row gets the message as an error, and the run goes on to its end. */
final class WorkFailed extends RuntimeException
{
}

/**
 * One run of a job, with what AtoM's base class does around the work: required parameters, row, serial guard, log
 * lines, status. What the work is comes from sandbox/jobs/ID.json of the root: {"seconds": 2, "lines": 3, "notes": [],
 * "log": ["a line of its own"], "download": true, "error": "what went wrong", "exception": "what was thrown",
 * "forgets": true to save no status, as a plugin may}; without that file it takes no time. A test may also lead it step by
 * step: see Steps.
 */
final class Job
{
    private const RUNNING = 183;
    private const COMPLETED = 184;
    private const ERROR = 185;
    private const ERROR_NOTE = 197;
    private const LOG_LIMIT = 65_534;
    private const SERIAL = ['arObjectMoveJob', 'arFileImportJob'];
    private const SERIAL_TRIES = 10;
    private const SERIAL_SECONDS = 10;
    private const GAVE_UP = 'Maximum retries reached (%d). Please, try to launch the job again when other sensitive jobs are finished or contact an administrator';
    private const UNAUTHENTICATED_DAYS = 2;

    private const REQUIRED = [
        'arCalculateDescendantDatesJob' => ['objectId'],
        'arFindingAidJob' => ['objectId'],
        'arGenerateReportJob' => ['objectId', 'reportType', 'reportTypeLabel', 'reportFormat'],
        'arInformationObjectCsvExportJob' => ['params'],
        'arInformationObjectXmlExportJob' => ['params'],
        'arInheritRightsJob' => ['overwrite_or_combine', 'all_or_digital_only', 'objectId'],
        'arObjectMoveJob' => ['objectId'],
        'arUpdateEsActorRelationsJob' => ['actorIds', 'objectId'],
        'arUpdateEsIoDocumentsJob' => ['ioIds', 'updateIos', 'updateDescendants', 'objectId'],
        'arUpdatePublicationStatusJob' => ['objectId', 'publicationStatusId'],
        'arXmlExportSingleFileJob' => ['objectId', 'format'],
        'qtSwordPluginWorker' => ['objectId'],
    ];

    /** Classes that remove a directory of their own after their end, and log it. */
    private const EXPORTS = [
        'arActorCsvExportJob',
        'arActorXmlExportJob',
        'arInformationObjectCsvExportJob',
        'arInformationObjectXmlExportJob',
        'arPhysicalObjectCsvHoldingsReportJob',
        'arRepositoryCsvExportJob',
    ];

    private array $row = [];
    private array $work = [];

    /** @param Closure(string): void $print writes a line to the worker's own output */
    public function __construct(
        private readonly Site $site,
        private readonly string $class,
        private readonly Closure $print,
    ) {
    }

    /** @throws JobFailed before the job has begun; the row is then as it was */
    public function run(mixed $parameters): mixed
    {
        foreach (['id', 'name', ...self::REQUIRED[$this->class] ?? []] as $name) {
            if (!is_array($parameters) || !isset($parameters[$name])) {
                throw new JobFailed("Required parameter not found for job: $name");
            }
        }
        $rows = $this->site->query('SELECT id, name, user_id FROM job WHERE id = ?', [$parameters['id']]);
        if ($rows === []) {
            throw new JobFailed('Called a Gearman worker with an invalid QubitJob id.');
        }
        $this->row = $rows[0];
        $this->work = $this->readWork();
        try {
            Steps::wait("grabbed:{$this->row['id']}");
            $this->info('Job started.');
            $this->noteStart();
            Steps::wait('started');
            if (in_array($this->class, self::SERIAL, true) && !$this->waitForTurn()) {
                return false;
            }
            if ($this->row['user_id'] === null) {
                $this->deleteUnauthenticatedJobs();
            }
            if ($this->site->isSince27()) {
                $this->info('Parameters: '.json_encode($parameters));
            }
            try {
                $this->doWork($parameters);
                if (!isset($this->work['forgets'])) {
                    $this->save(self::COMPLETED);
                    Steps::wait('saved');
                }
            } catch (WorkFailed $failure) {
                $this->error($failure->getMessage());
                Steps::wait('saved');
            }
            $this->info('Job finished.');
        } catch (Throwable $thrown) {
            $this->error('Exception: '.$thrown->getMessage());
            if ($this->site->isSince27()) {
                $this->error('File: '.$thrown->getFile());
                $this->error('Line: '.$thrown->getLine());
            }
        }

        return null;
    }

    /** What is left to log once Gearman knows of the end. */
    public function cleanUp(): void
    {
        if ($this->row !== [] && $this->site->isSince27() && in_array($this->class, self::EXPORTS, true)) {
            $this->info(sprintf('Deleting temporary job directory %s/%s', sys_get_temp_dir(), md5($this->row['id'])));
        }
    }

    /** The oldest running row of the serial classes goes first; each other one holds its worker while it waits. */
    private function waitForTurn(): bool
    {
        $seconds = (float) (getenv('SANDBOX_SERIAL_SECONDS') ?: self::SERIAL_SECONDS);
        for ($try = 0; !$this->isFirstInLine(); ++$try) {
            if ($try === self::SERIAL_TRIES) {
                $this->error(sprintf(self::GAVE_UP, self::SERIAL_TRIES));

                return false;
            }
            $this->info(sprintf('Another sensitive job is being executed, will retry in %d seconds', self::SERIAL_SECONDS));
            if (Steps::wait('waits') === null) {
                self::pause($seconds);
            }
        }

        return true;
    }

    /** Rows of one second go by their ids here; AtoM leaves open which is the oldest of them. */
    private function isFirstInLine(): bool
    {
        $names = "'".implode("','", self::SERIAL)."'";
        $rows = $this->site->query(
            "SELECT job.id FROM job JOIN object USING (id) WHERE status_id = ? AND name IN ($names) ORDER BY created_at, id",
            [self::RUNNING],
        );
        if ($rows === []) {
            throw new RuntimeException('No running serial job has a row.');
        }

        return (string) $rows[0]['id'] === (string) $this->row['id'];
    }

    /** A job without a user clears the old jobs of all who have none, running ones too. */
    private function deleteUnauthenticatedJobs(): void
    {
        $old = $this->site->query(
            'SELECT job.id, download_path FROM job JOIN object USING (id) WHERE user_id IS NULL AND created_at < ?',
            [date('Y-m-d H:i:s', strtotime(sprintf('-%d days', self::UNAUTHENTICATED_DAYS)))],
        );
        foreach ($old as $job) {
            if ($job['download_path'] !== null) {
                @unlink($job['download_path']);
            }
            $this->site->query('DELETE FROM object WHERE id = ?', [$job['id']]);
        }
    }

    private function doWork(array $parameters): void
    {
        foreach ($this->work['notes'] ?? [] as $note) {
            $this->insertNote($note, null);
        }
        if ($this->class === 'arFileImportJob') {
            $this->import($parameters);
        } else {
            $this->workInSteps();
            foreach ($this->work['log'] ?? [] as $line) {
                $this->info($line);
            }
            $lines = $this->work['lines'] ?? 0;
            for ($line = 1; $line <= $lines; ++$line) {
                self::pause(($this->work['seconds'] ?? 0) / $lines);
                $this->info("Step $line of $lines.");
            }
            if ($lines === 0) {
                self::pause($this->work['seconds'] ?? 0);
            }
        }
        if (isset($this->work['exception'])) {
            throw new RuntimeException($this->work['exception']);
        }
        if (isset($this->work['error'])) {
            throw new WorkFailed($this->work['error']);
        }
        if ($this->work['download'] ?? false) {
            $path = sprintf('downloads/jobs/%s.zip', md5((string) $this->row['id']));
            file_put_contents("{$this->site->root}/$path", '');
            $this->site->query('UPDATE job SET download_path = ? WHERE id = ?', [$path, $this->row['id']]);
        }
    }

    /** What a test that leads the worker wants the job to do. */
    private function workInSteps(): void
    {
        while (true) {
            switch (Steps::wait('working')) {
                case 'log':
                    $this->info('A step.');
                    break;
                case 'fill':
                    $this->info(str_repeat('x', self::LOG_LIMIT));
                    break;
                case 'fail':
                    throw new WorkFailed('The work failed.');
                case 'throw':
                    throw new RuntimeException('The work was broken off.');
                case 'forget':
                    $this->work['forgets'] = true;

                    return;
                default:
                    return;
            }
        }
    }

    /** The child does the work; what it prints is logged at its end, so the log is silent until then. */
    private function import(array $parameters): void
    {
        ['name' => $name, 'tmp_name' => $file] = ($parameters['file'] ?? []) + ['name' => null, 'tmp_name' => null];
        $type = $parameters['importType'] ?? null;
        if ($type !== 'csv' || $file === null) {
            throw new WorkFailed("Unable to import selected file: unknown format $type.");
        }
        $this->info("Importing CSV file: $name.");
        $hasIndex = (bool) ($parameters['index'] ?? false);
        if ($hasIndex) {
            $this->info('Indexing imported records.');
        }
        if (!empty($parameters['update'])) {
            $this->info("Update type: {$parameters['update']}");
        }
        // Options that are not given leave their blanks.
        $command = sprintf(
            "php %s 'csv:import' %s     --quiet --user-id=\"%s\" --source-name=%s  %s",
            escapeshellarg("{$this->site->root}/symfony"),
            $hasIndex ? '--index' : '',
            $this->row['user_id'],
            escapeshellarg($name),
            escapeshellarg($file),
        );
        putenv('SANDBOX_WORK='.json_encode($this->work));
        exec("$command 2>&1", $output, $status);
        if ($status !== 0) {
            throw new WorkFailed(implode('; ', array_filter([$command, ...$output])));
        }
        $this->workInSteps();
        foreach ([$command, ...$output] as $line) {
            $this->info($line);
        }
        if (!@unlink($file)) {
            $this->error("Failed to delete temporary file $file -- please check your folder permissions.");
        }
        $this->info('Import complete.');
    }

    private function info(string $message): void
    {
        $this->log('info', $message);
    }

    /** Up to 2.6, AtoM logs an error as any other line. */
    private function error(string $message): void
    {
        $this->log($this->site->isSince27() ? 'err' : 'info', $message);
        $this->insertNote($message, $this->site->isSince27() ? self::ERROR_NOTE : null);
        $this->save(self::ERROR);
    }

    /** The worker's own output has the message alone. */
    private function log(string $level, string $message): void
    {
        $line = sprintf('[%s] [%s] Job %d "%s": %s', $level, Steps::date('Y-m-d H:i:s'), $this->row['id'], $this->row['name'], $message);
        $this->site->query(
            "UPDATE job SET output = LEFT(CONCAT(COALESCE(output, ''), ?), ?) WHERE id = ?",
            ["$line\n", self::LOG_LIMIT, $this->row['id']],
        );
        ($this->print)($message);
    }

    private function save(int $status): void
    {
        $now = Steps::date('Y-m-d H:i:s');
        $this->site->query('UPDATE object SET updated_at = ? WHERE id = ?', [$now, $this->row['id']]);
        $this->site->query(
            'UPDATE job SET status_id = ?, completed_at = ? WHERE id = ?',
            [$status, $now, $this->row['id']],
        );
    }

    /** Fails if the row has been deleted: the foreign key refuses the note. */
    private function insertNote(string $text, ?int $type): void
    {
        $this->site->query(
            "INSERT INTO note (object_id, type_id, source_culture) VALUES (?, ?, 'en')",
            [$this->row['id'], $type],
        );
        $this->site->query(
            "INSERT INTO note_i18n (id, culture, content) VALUES (LAST_INSERT_ID(), 'en', ?)",
            [$text],
        );
    }

    private function readWork(): array
    {
        $text = @file_get_contents("{$this->site->root}/sandbox/jobs/{$this->row['id']}.json");

        return $text === false ? [] : json_decode($text, true);
    }

    /** For the tests: which worker began which job, in order. */
    private function noteStart(): void
    {
        @file_put_contents("{$this->site->root}/sandbox/started/".getmypid(), "{$this->row['id']}\n", FILE_APPEND);
    }

    public static function pause(float $seconds): void
    {
        $until = microtime(true) + $seconds;
        while (($left = $until - microtime(true)) > 0) {
            usleep((int) min($left * 1e6, 1e6));
        }
    }
}
