<?php

/**
 * The sandbox's stand-in for AtoM's command line: `php symfony jobs:worker` and the `php symfony csv:import` that a
 * worker starts for an import. It shows the database, Gearman and /proc what AtoM shows them.
 */
require_once __DIR__.'/steps.php';
require_once __DIR__.'/site.php';
require_once __DIR__.'/gearman-worker.php';
require_once __DIR__.'/job.php';

const EXIT_LIMIT_REACHED = 111;
const DATABASE_PING_ROUNDS = 30;
const WORKER_OPTIONS = ['application', 'env', 'types', 'abilities'];
const LIMIT_OPTIONS = ['max-job-count', 'max-mem-usage'];

/** @return int the exit status; 1 for whatever was thrown, as AtoM's command line has it */
function runTask(string $root, array $arguments): int
{
    chdir($root);
    try {
        return match ($arguments[0] ?? '') {
            'jobs:worker' => runWorker(new Site($root), array_slice($arguments, 1)),
            'csv:import' => runImport(array_slice($arguments, 1)),
            default => throw new RuntimeException('Task "'.($arguments[0] ?? '').'" is not defined.'),
        };
    } catch (Exception $exception) {
        fwrite(STDERR, "\n  {$exception->getMessage()}\n\n");

        return 1;
    }
}

function runWorker(Site $site, array $arguments): int
{
    $options = workerOptions($arguments, $site->isSince27());
    $print = static function (string $message): void {
        fwrite(STDOUT, Steps::date('Y-m-d H:i:s > ').$message."\n");
    };
    Steps::wait('starts');
    $prefix = $site->functionPrefix();
    $worker = new GearmanWorker($site->gearmanServers());
    foreach ($options['abilities'] ?: $site->jobClasses($options['types']) as $class) {
        $print("New ability: $class");
        $worker->addFunction($prefix.$class);
    }
    // The session lives as long as the worker.
    $site->database();
    if ($site->isSince27()) {
        endOnSignals($print);
    }
    $print('Running worker...');
    $print('PID '.getmypid());
    Steps::wait('registered');

    $jobs = 0;
    $rounds = 0;
    $job = null;
    $isAtLimit = static function () use (&$jobs, $options): bool {
        return ($options['max-job-count'] > 0 && $jobs >= $options['max-job-count'])
            || ($options['max-mem-usage'] > 0 && residentKilobytes() >= $options['max-mem-usage']);
    };
    $worker->work(
        static function (string $function, string $payload) use ($site, $prefix, $print, &$job): mixed {
            $job = new Job($site, substr($function, strlen($prefix)), $print);

            return $job->run(json_decode($payload, true));
        },
        static function (?JobFailed $failure) use ($print, $site, &$jobs, &$job): void {
            if ($failure !== null) {
                $print('Job failed: '.$failure->getMessage());
            } else {
                ++$jobs;
                if ($site->isSince27()) {
                    $print("Jobs completed: $jobs");
                }
            }
            $job->cleanUp();
        },
        static function () use ($isAtLimit, $site, &$rounds): bool {
            if (++$rounds % DATABASE_PING_ROUNDS === 0) {
                $site->query('SELECT 1');
            }

            return $isAtLimit();
        },
    );
    $print('The limit of this worker is reached.');

    return EXIT_LIMIT_REACHED;
}

/** AtoM 2.6 has no limits and refuses their options. */
function workerOptions(array $arguments, bool $hasLimits): array
{
    $options = ['types' => '', 'abilities' => '', 'max-job-count' => 0, 'max-mem-usage' => 0];
    $known = $hasLimits ? [...WORKER_OPTIONS, ...LIMIT_OPTIONS] : WORKER_OPTIONS;
    foreach ($arguments as $argument) {
        if (!preg_match('/^--([a-z-]+)=(.*)$/', $argument, $found) || !in_array($found[1], $known, true)) {
            throw new RuntimeException("The option \"$argument\" does not exist.");
        }
        $options[$found[1]] = $found[2];
    }
    foreach (['types', 'abilities'] as $name) {
        $options[$name] = array_values(array_filter(array_map('trim', explode(',', $options[$name]))));
    }
    foreach (LIMIT_OPTIONS as $name) {
        $options[$name] = (int) $options[$name];
    }

    return $options;
}

/** A signal that comes during a query or a child process takes effect once that has ended. */
function endOnSignals(Closure $print): void
{
    pcntl_async_signals(true);
    foreach ([SIGINT, SIGHUP, SIGTERM, SIGQUIT] as $signal) {
        pcntl_signal($signal, static function () use ($print): void {
            $print('Termination requested.');
            exit(0);
        });
    }
}

function residentKilobytes(): int
{
    return preg_match('/^VmRSS:\s+(\d+)/m', (string) file_get_contents('/proc/self/status'), $found) ? (int) $found[1] : 0;
}

/** Takes as long as its job's work, and prints its lines; if the work fails, prints why and fails. */
function runImport(array $arguments): int
{
    $work = json_decode(getenv('SANDBOX_WORK') ?: '[]', true);
    if (!is_readable((string) end($arguments))) {
        throw new RuntimeException('You must specify a valid filename');
    }
    if (isset($work['query'])) {
        (new Site(getcwd()))->query($work['query']);
    }
    if (Steps::wait('importing') === null) {
        Job::pause($work['seconds'] ?? 0);
    }
    if (isset($work['error'])) {
        throw new RuntimeException($work['error']);
    }

    foreach ($work['log'] ?? [] as $line) {
        echo "$line\n";
    }

    return 0;
}
