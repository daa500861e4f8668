/**
 * What an act may do to jobs that it did not name, and why it is accepted. A history that shows one of these is counted
 * under its name; everything else that harms a job is a fault.
 */
export const KNOWN_LIMITS = {
  'submitted twice':
    'Gearman has the job twice, by an operator who submitted it again on another server, under another prefix or under another key. The kill takes out the one that it finds.',
  'submitted again meanwhile':
    'An operator submitted the job again after Gearman was asked for the last time and before its row was changed, or submitted it before its web request, which did so then. Nothing in the database shows that, and Gearman and MySQL do nothing in one step: it is as if it was submitted after the act.',
  'its worker lost its server':
    'Gearman has the job as waiting, because only the connection of its worker was cut or a server with a durable queue was restarted. It is taken out and does not begin again, but that worker goes on to its end.',
  'ended by hand':
    'The row was deleted, or ended while a worker went on and its log shows no key (AtoM 2.6, a float), or it was ended before its web request submitted it: of an ended row only the key that its log shows is asked for, and only whether it executes.',
  'cleared as it began':
    'A worker was handed a job after the question and before the queue was held, and had not logged its start when its row was cleared: nothing in the database shows that.',
  'running again meanwhile':
    'An operator set a row to Running, by hand, after a clear had read it as ended and before it deleted it. Gearman is asked for the jobs of rows that said Running as they were read.',
  'begun again unseen':
    'A finished job was handed out again, its worker has not logged yet, gearmand was restarted in that moment, and the processes of this host cannot be read: the limit of `finished` itself (docs/faults.md).',
  'begun meanwhile':
    'Between the last look and the end of a stopped worker, the worker may end its job and begin the next one. Nothing in Gearman or systemd does both in one step.',
  'not known to execute':
    'Nothing shows that the job executes (no key, and the counts prove nothing), so it cannot be named as interrupted.',
  'taken while held':
    'While waiting jobs are held, a worker that becomes free is handed the next one of its functions that is not held.',
  'serial worker became free':
    'Jobs of a serial class are held only if each of its workers has been busy for a second, or none is there. One of them may still become free within the moment, or while a hold waits for the others: a job that arrives then is handed to it, before those that are held.',
  'arrived while given back':
    'A job that arrives while the others are given back comes before those that are not back yet.',
  'all at once':
    'More jobs wait than a server has connections for. They are held by one connection and given back twice: between the two their order is reversed.',
  'killed outright':
    'atomctl was killed (SIGKILL) while it held jobs, or while a worker was stopped. Gearman has the jobs back in another order, and the worker stays stopped.',
  'arrived where retries are limited':
    'A job that a worker returned while others were held is not held too where that could make gearmand drop it, and so may come before them.',
  'returned while limited retries were tried':
    'Retries are limited, and a worker dies in the moment between the test of the limit and the probe: the job that it returns has one retry more than was tried, and could be dropped.',
  'its connections were cut':
    'The connections of atomctl were lost while it held jobs: Gearman has them back in an order that depends on it, until atomctl has put them in their order again.',
  'begun unseen':
    'A worker was handed a job of a copy, gearmand was restarted before it logged the start, and it hangs for longer than a second: no server knows the job, and its log is as it was saved. A log that is full does not grow either.',
  'executed as it was saved':
    'The job of a copy waited in Gearman while a worker executed it: the worker had lost its server, or an operator had submitted the job again. Gearman would have handed it out a second time, and a restore brings back what was there.',
  'ended meanwhile':
    'The row of a job of a copy was ended between the last look at it and its submission. Gearman and MySQL do nothing in one step.',
  'known elsewhere':
    'A server that the command was not told of has the job, or has it under a prefix that is neither that of the copy nor one of the site now.',
  'one prefix for two sites':
    'Two sites share a prefix. --all-queued takes out what has no row in the database of this one, queue:hold --re-prefix moves the jobs of both, and where both have rows of one id, a worker of this site may run the job of the other as its own.',
} as const;

export type LimitName = keyof typeof KNOWN_LIMITS;
