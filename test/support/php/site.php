<?php

/** The configuration of the sandbox's root, read from the same files as AtoM's. */
final class Site
{
    /** AtoM's environment of a worker. */
    private const ENVIRONMENT = 'worker';
    private const TITLE_IN_PREFIX_UNTIL = '2.5.1';
    private const NO_PREFIX_UNTIL = '2.2.99';

    public readonly string $version;
    private ?PDO $database = null;

    public function __construct(public readonly string $root)
    {
        $source = (string) @file_get_contents("$root/apps/qubit/config/qubitConfiguration.class.php");
        $this->version = preg_match("/VERSION = '([0-9.]+)'/", $source, $found) ? $found[1] : '2.8.2';
        date_default_timezone_set($this->settings()['default_timezone'] ?? 'UTC');
    }

    /** From 2.7 on, AtoM logs a job's parameters, handles signals, has limits, and gives error notes a type. */
    public function isSince27(): bool
    {
        return version_compare($this->version, '2.7.0', '>=');
    }

    /** What comes before the class in the names of this site's Gearman functions, with its dash. */
    public function functionPrefix(): string
    {
        if (version_compare($this->version, self::NO_PREFIX_UNTIL, '<=')) {
            return '';
        }
        if (version_compare($this->version, self::TITLE_IN_PREFIX_UNTIL, '<=')) {
            return md5($this->setting('siteTitle').$this->setting('siteBaseUrl').$this->root).'-';
        }

        return md5($this->root.$this->workersKey()).'-';
    }

    /** @return list<string> host:port */
    public function gearmanServers(): array
    {
        return array_values($this->gearman()['servers']);
    }

    /** @return list<string> job classes, of the types if there are any, otherwise of all */
    public function jobClasses(array $types): array
    {
        $byType = $this->gearman()['worker_types'];
        $classes = [];
        foreach ($types ?: array_keys($byType) as $type) {
            if (!isset($byType[$type])) {
                throw new RuntimeException("gearman.yml has no worker type $type.");
            }
            $classes = [...$classes, ...$byType[$type]];
        }

        return $classes;
    }

    /** One session for the life of the process. */
    public function database(): PDO
    {
        if ($this->database === null) {
            $parameters = (require "{$this->root}/config/config.php")['all']['propel']['param'];
            $this->database = new PDO($parameters['dsn'], $parameters['username'], $parameters['password'], [
                PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
                PDO::ATTR_PERSISTENT => $parameters['persistent'] ?? false,
            ]);
            $this->database->exec("SET NAMES '{$parameters['encoding']}'");
        }

        return $this->database;
    }

    /** @return list<array<string, mixed>> the rows of a SELECT, otherwise none */
    public function query(string $sql, array $values = []): array
    {
        $statement = $this->database()->prepare($sql);
        $statement->execute($values);

        return $statement->columnCount() > 0 ? $statement->fetchAll(PDO::FETCH_ASSOC) : [];
    }

    private function setting(string $name): string
    {
        $rows = $this->query(
            'SELECT value FROM setting JOIN setting_i18n USING (id) WHERE name = ? AND culture = source_culture',
            [$name],
        );

        return (string) ($rows[0]['value'] ?? '');
    }

    private function settings(): array
    {
        return $this->readYaml('settings.yml')['.settings'] ?? [];
    }

    /** A compiled cache wins over the YAML, also if it is older. */
    private function gearman(): array
    {
        $cache = $this->cacheFile('gearman');

        return is_file($cache) ? require $cache : $this->readYaml('gearman.yml');
    }

    private function workersKey(): string
    {
        $cache = $this->cacheFile('app');
        if (is_file($cache)) {
            require_once $cache;

            return (string) (sfConfig::$values['app_workers_key'] ?? '');
        }

        return (string) ($this->readYaml('app.yml')['workers_key'] ?? '');
    }

    private function cacheFile(string $name): string
    {
        return sprintf('%s/cache/qubit/%s/config/config_%s.yml.php', $this->root, self::ENVIRONMENT, $name);
    }

    /** Sections of the project's file and the application's merge first, then default < all < environment. */
    private function readYaml(string $name): array
    {
        $sections = [];
        foreach (["config/$name", "apps/qubit/config/$name"] as $path) {
            if (is_file("{$this->root}/$path")) {
                $sections = array_replace_recursive($sections, parseYaml(runPhp("{$this->root}/$path")));
            }
        }
        $flat = [];
        foreach (['default', 'all', self::ENVIRONMENT] as $section) {
            $flat = array_replace_recursive($flat, is_array($sections[$section] ?? null) ? $sections[$section] : []);
        }

        return $flat;
    }
}

/** What a compiled app.yml calls. */
final class sfConfig
{
    public static array $values = [];

    public static function add(array $values): void
    {
        self::$values = [...self::$values, ...$values];
    }
}

/** A YAML file of AtoM is a PHP file first. */
function runPhp(string $path): string
{
    ob_start();
    include $path;

    return (string) ob_get_clean();
}

/** Maps and lists of scalars, by indentation: as much YAML as the sandbox's files have. */
function parseYaml(string $text): array
{
    $lines = [];
    foreach (preg_split('/\R/', $text) as $line) {
        if (preg_match('/^( *)(- *)?(?:([^:#\s][^:]*): *)?(.*)$/', $line, $part) && !preg_match('/^\s*(#|$)/', $line)) {
            $lines[] = [
                'indent' => strlen($part[1]),
                'isItem' => $part[2] !== '',
                'key' => $part[2] === '' ? trim($part[3], " '\"") : null,
                'value' => $part[2] === '' ? $part[4] : substr($line, strlen($part[1].$part[2])),
            ];
        }
    }

    return parseBlock($lines, 0);
}

function parseBlock(array &$lines, int $indent): array
{
    $block = [];
    while ($lines !== [] && $lines[0]['indent'] >= $indent) {
        $line = array_shift($lines);
        $hasBlock = $line['value'] === '' && $lines !== []
            && ($lines[0]['indent'] > $line['indent'] || ($lines[0]['isItem'] && $lines[0]['indent'] === $line['indent']));
        $value = $hasBlock ? parseBlock($lines, $lines[0]['indent']) : parseScalar($line['value']);
        if ($line['isItem']) {
            $block[] = $value;
        } else {
            $block[$line['key']] = $value;
        }
        // A list may stand at its key's own indentation; the next key ends it.
        if ($line['isItem'] && $lines !== [] && !$lines[0]['isItem'] && $lines[0]['indent'] === $indent) {
            break;
        }
    }

    return $block;
}

function parseScalar(string $text): mixed
{
    if (preg_match('/^\'(.*)\'\s*(#.*)?$/', $text, $found)) {
        return str_replace("''", "'", $found[1]);
    }
    if (preg_match('/^"(.*)"\s*(#.*)?$/', $text, $found)) {
        return stripcslashes($found[1]);
    }
    $text = trim(preg_replace('/\s+#.*$/', '', $text));
    if (preg_match('/^\[(.*)\]$/', $text, $found)) {
        return array_map('parseScalar', array_map('trim', array_filter(explode(',', $found[1]))));
    }

    return in_array($text, ['', '~', 'null'], true) ? null : $text;
}
