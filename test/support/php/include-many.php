<?php
/* Includes the files named on stdin, one a line, and prints for each what it returns and prints, one JSON document a line. */

// PHP goes on after a warning, so its text is not part of what is compared.
error_reporting(0);

function described($value)
{
    if (is_array($value)) {
        $entries = [];
        foreach ($value as $key => $each) $entries[] = [base64_encode((string) $key), described($each)];
        return ['array', $entries];
    }
    if (is_float($value)) return ['float', bin2hex(pack('E', $value))];
    if (is_string($value)) return ['string', base64_encode($value)];
    if (is_int($value)) return ['int', (string) $value];
    return [gettype($value), $value];
}

function included($__file)
{
    ob_start();
    try {
        $returned = include $__file;
        return ['returned' => described($returned), 'output' => base64_encode(ob_get_clean())];
    } catch (Throwable $error) {
        ob_end_clean();
        return ['thrown' => get_class($error)];
    }
}

while (($__line = fgets(STDIN)) !== false) echo json_encode(included(rtrim($__line, "\n"))), "\n";
