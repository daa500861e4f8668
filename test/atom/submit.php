<?php

/*
 * Submits a job through AtoM's own code: php submit.php ROOT USER CLASS PARAMETERS (JSON). Prints the job's id.
 * With `export` for the class: prints AtoM's own CSV of all jobs.
 */
error_reporting(E_ALL & ~E_DEPRECATED & ~E_WARNING & ~E_NOTICE);
[, $root, $user, $class, $parameters] = $argv + [4 => '{}'];
chdir($root);

require_once $root.'/config/ProjectConfiguration.class.php';
$configuration = ProjectConfiguration::getApplicationConfiguration('qubit', 'cli', false);
$context = sfContext::createInstance($configuration);
sfConfig::add(QubitSetting::getSettingsArray());
$context->user->signIn(QubitUser::getById($user));

if ('export' === $class) {
    require_once $root.'/apps/qubit/modules/jobs/actions/exportAction.class.php';
    $csv = new ReflectionMethod('JobsExportAction', 'getCSVString');
    $csv->setAccessible(true);
    echo $csv->invoke((new ReflectionClass('JobsExportAction'))->newInstanceWithoutConstructor(), QubitJob::getAll());

    exit;
}

Propel::getConnection()->beginTransaction();
echo QubitJob::runJob($class, json_decode($parameters, true))->id;
Propel::getConnection()->commit();
