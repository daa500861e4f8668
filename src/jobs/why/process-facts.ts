import type {Queryable} from '../../mysql/database.ts';
import {maskedCommand} from '../../processes/mask-arguments.ts';
import type {ProcessUsage} from '../../processes/usage.ts';
import type {WhyProcess} from './facts.ts';
import type {MissingFacts} from './missing.ts';
import {sessionOrReason} from './sessions.ts';

export interface DescribeOptions {
  database: Queryable;
  /** Ports of the site's Gearman servers: connections to them are no sessions of the database. */
  gearmanPorts: ReadonlySet<number>;
  missing: MissingFacts;
}

const NOT_READABLE = "Only the process's own user and root may read this: run atomctl as root.";

/** A process and its children with what their sessions execute. @param fact how `missing` names it: `process` */
export async function describeProcess(
  usage: ProcessUsage,
  fact: string,
  options: DescribeOptions,
): Promise<WhyProcess> {
  const {missing} = options;
  const {pid, argv, cpuSeconds} = usage;
  const known = <T>(name: 'readBytes' | 'writtenBytes' | 'memoryBytes', value: T | null): T | null =>
    value ??
    missing.because(`${fact}.${name}`, name === 'memoryBytes' ? 'The process has ended.' : NOT_READABLE);
  return {
    pid,
    command: maskedCommand(argv),
    cpuSeconds,
    readBytes: known('readBytes', usage.readBytes),
    writtenBytes: known('writtenBytes', usage.writtenBytes),
    memoryBytes: known('memoryBytes', usage.memoryBytes),
    children: await Promise.all(
      usage.children.map((child, index) => describeProcess(child, `${fact}.children[${index}]`, options)),
    ),
    ...(await queryOf(usage, fact, options)),
  };
}

async function queryOf(
  {connections}: ProcessUsage,
  fact: string,
  {database, gearmanPorts, missing}: DescribeOptions,
): Promise<Pick<WhyProcess, 'query' | 'querySeconds'>> {
  const none = (reason: string) => ({
    query: missing.because(`${fact}.query`, reason),
    querySeconds: missing.because(`${fact}.querySeconds`, reason),
  });
  if (connections === null) return none(NOT_READABLE);
  const others = connections.filter(({remote}) => !gearmanPorts.has(remote.port));
  if (others.length === 0)
    return none(
      'It is not known: the process uses no TCP connection for it, and of a session over a socket file the database does not say whose it is.',
    );
  const session = await sessionOrReason(database, others);
  if (typeof session === 'string') return none(session);
  if (session.query === null)
    return none(`Its session executes nothing; its last statement ended ${session.seconds} s ago.`);
  return {query: session.query, querySeconds: session.seconds};
}
