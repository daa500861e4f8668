<?php

/** The server has gone; a write or a read showed it. */
final class ConnectionLost extends RuntimeException
{
}

/** The job is to fail in Gearman. */
final class JobFailed extends RuntimeException
{
}

/**
 * A worker's side of Gearman's protocol, as AtoM's library speaks it: one connection to each server, jobs taken from
 * one server after the other, and no look at a connection while a job runs. So a server that went away is noticed at
 * the second write after the job: the first still succeeds.
 */
final class GearmanWorker
{
    private const CAN_DO = 1;
    private const PRE_SLEEP = 4;
    private const NOOP = 6;
    private const GRAB_JOB = 9;
    private const NO_JOB = 10;
    private const JOB_ASSIGN = 11;
    private const WORK_COMPLETE = 13;
    private const WORK_FAIL = 14;
    private const SET_CLIENT_ID = 22;

    private const HEADER_BYTES = 12;
    /** AtoM's; SANDBOX_CONNECT_SECONDS is another. */
    private const CONNECT_SECONDS = 2;
    private const RECONNECT_SECONDS = 5;
    private const IDLE_SECONDS = 1;

    private readonly string $clientId;
    /** @var array<string, Socket> */
    private array $connections = [];
    /** @var array<string, int> when a server that is away was tried last */
    private array $away = [];
    /** @var list<string> */
    private array $functions = [];

    /** @param list<string> $servers host:port */
    public function __construct(array $servers)
    {
        $this->clientId = 'pid_'.getmypid().'_'.uniqid();
        foreach ($servers as $server) {
            try {
                $this->connections[$server] = $this->connect($server);
            } catch (ConnectionLost) {
                $this->away[$server] = Steps::now();
            }
        }
        if ($this->connections === []) {
            throw new RuntimeException('No Gearman server answers.');
        }
    }

    public function addFunction(string $name): void
    {
        $this->functions[] = $name;
        foreach ($this->connections as $socket) {
            self::send($socket, self::CAN_DO, $name);
        }
    }

    /**
     * Takes jobs until `$isEnough` says so; it is asked after each round, at least once a second.
     *
     * @param callable(string, string): mixed $execute gets function and payload; what it returns is the job's result.
     *                                                 JobFailed fails the job, anything else ends the worker.
     * @param callable(?JobFailed): void      $after   called once Gearman knows how the job ended
     */
    public function work(callable $execute, callable $after, callable $isEnough): void
    {
        do {
            $now = Steps::now();
            $worked = false;
            foreach ($this->connections as $server => $socket) {
                try {
                    $worked = $this->takeJob($socket, $execute, $after) || $worked;
                } catch (ConnectionLost) {
                    unset($this->connections[$server]);
                    $this->away[$server] = $now;
                }
            }
            if (!$worked && $this->connections !== []) {
                $this->sleepUntilCalled();
            }
            $this->reconnect($now);
            if (!$worked && Steps::wait('idle') === null && $this->connections === []) {
                sleep(1);
            }
        } while (!$isEnough());
    }

    private function takeJob(Socket $socket, callable $execute, callable $after): bool
    {
        self::send($socket, self::GRAB_JOB);
        do {
            [$type, $body] = self::receive($socket);
        } while ($type === self::NOOP);
        if ($type === self::NO_JOB) {
            return false;
        }
        if ($type !== self::JOB_ASSIGN) {
            throw new ConnectionLost("Unexpected packet $type.");
        }
        [$handle, $function, $payload] = explode("\0", $body);
        try {
            $result = $execute($function, $payload);
            Steps::wait('ends');
            self::send($socket, self::WORK_COMPLETE, $handle, json_encode(['result' => $result]));
            $after(null);
        } catch (JobFailed $failure) {
            self::send($socket, self::WORK_FAIL, $handle);
            $after($failure);
        }
        Steps::wait('ended');

        return true;
    }

    private function sleepUntilCalled(): void
    {
        foreach ($this->connections as $socket) {
            self::send($socket, self::PRE_SLEEP);
        }
        $read = $this->connections;
        $none = null;
        @socket_select($read, $none, $none, getenv('SANDBOX_STEPS') === false ? self::IDLE_SECONDS : 0);
    }

    /** After a server came back, every server is told the functions again. */
    private function reconnect(int $now): void
    {
        $isBack = false;
        foreach ($this->away as $server => $tried) {
            if ($tried + self::RECONNECT_SECONDS >= $now) {
                continue;
            }
            try {
                $this->connections[$server] = $this->connect($server);
                unset($this->away[$server]);
                $isBack = true;
            } catch (ConnectionLost) {
                $this->away[$server] = $now;
            }
        }
        if (!$isBack) {
            return;
        }
        foreach ($this->functions as $name) {
            foreach ($this->connections as $socket) {
                self::send($socket, self::CAN_DO, $name);
            }
        }
    }

    /** The socket is not close-on-exec: a child of the worker inherits it, and the server sees it open until both end. */
    private function connect(string $server): Socket
    {
        [$host, $port] = explode(':', $server) + [1 => 4730];
        $deadline = microtime(true) + (float) (getenv('SANDBOX_CONNECT_SECONDS') ?: self::CONNECT_SECONDS);
        do {
            $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
            if (@socket_connect($socket, $host, (int) $port)) {
                socket_set_nonblock($socket);
                socket_set_option($socket, SOL_TCP, TCP_NODELAY, 1);
                self::send($socket, self::SET_CLIENT_ID, $this->clientId);

                return $socket;
            }
            $reason = socket_strerror(socket_last_error($socket));
            socket_close($socket);
            usleep(20_000);
        } while (microtime(true) < $deadline);
        throw new ConnectionLost("$server: $reason");
    }

    private static function send(Socket $socket, int $type, string ...$fields): void
    {
        $body = implode("\0", $fields);
        $rest = "\0REQ".pack('NN', $type, strlen($body)).$body;
        while ($rest !== '') {
            $written = @socket_write($socket, $rest);
            if ($written === false && socket_last_error($socket) !== SOCKET_EAGAIN) {
                throw new ConnectionLost(socket_strerror(socket_last_error($socket)));
            }
            $rest = substr($rest, (int) $written);
        }
    }

    /** @return array{int, string} type and body */
    private static function receive(Socket $socket): array
    {
        $header = unpack('Nmagic/Ntype/Nlength', self::read($socket, self::HEADER_BYTES));

        return [$header['type'], self::read($socket, $header['length'])];
    }

    private static function read(Socket $socket, int $bytes): string
    {
        $data = '';
        while (strlen($data) < $bytes) {
            $read = [$socket];
            $none = null;
            @socket_select($read, $none, $none, null);
            $chunk = @socket_read($socket, $bytes - strlen($data));
            if ($chunk === '' || ($chunk === false && !in_array(socket_last_error($socket), [SOCKET_EAGAIN, SOCKET_EINTR], true))) {
                throw new ConnectionLost('The server closed the connection.');
            }
            $data .= (string) $chunk;
        }

        return $data;
    }
}
