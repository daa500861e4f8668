<?php

/**
 * Lets a test lead a worker and its import: before each step of a job they say on the socket SANDBOX_STEPS where they
 * stand, and go on when they are told what to do and what time their clock shows. Without that variable nothing waits.
 */
final class Steps
{
    private static mixed $socket = null;
    private static ?float $now = null;

    /** Seconds since 1970, on the clock that the test gives or on the host's. */
    public static function now(): int
    {
        return (int) (self::$now ?? time());
    }

    /** The wall clock in PHP's zone. */
    public static function date(string $format): string
    {
        return date($format, self::now());
    }

    /** What to do next; null if nobody leads. A signal is handled while it waits. */
    public static function wait(string $place): ?string
    {
        $path = getenv('SANDBOX_STEPS');
        if ($path === false) {
            return null;
        }
        self::$socket ??= stream_socket_client("unix://$path");
        fwrite(self::$socket, getmypid()." $place\n");
        do {
            $read = [self::$socket];
            $none = null;
        } while (@stream_select($read, $none, $none, 1) !== 1);
        $order = fgets(self::$socket);
        if ($order === false) {
            exit(1);
        }
        [$now, $what] = explode(' ', rtrim($order));
        self::$now = (float) $now;

        return $what;
    }
}
