import {hostname, userInfo} from 'node:os';
import {Flags} from '@oclif/core';
import {CHECK_IDS} from '../doctor/checks.ts';
import {type Examination, type Patient, startExamination} from '../doctor/examination.ts';
import type {Selection} from '../doctor/examine.ts';
import {applyRemedies, type Fixed, type PlannedRemedy} from '../doctor/mend.ts';
import {sanitizeLine} from '../render/sanitize.ts';
import {confirm} from './confirm.ts';
import type {Context} from './context.ts';
import {confirmationFlags} from './flags.ts';
import {interruptibly} from './interruption.ts';
import {serviceManager} from './worker-service.ts';

/** What to look at, and what to do about it. */
export const doctorFlags = {
  ...confirmationFlags,
  'stuck-after': Flags.custom<number>({
    summary: 'A job whose log has been silent for longer counts as stuck: 30m, 1h, 2d.',
    helpValue: 'AGE',
    default: 3600,
    defaultHelp: async () => '1h',
    parse: async (text) => (await import('../atom/site-time.ts')).parseAge(text, '--stuck-after'),
  })(),
  check: checkFlag('Make this check alone.'),
  skip: checkFlag('Leave this check out.'),
  fix: Flags.boolean({
    summary: 'Mend what is safe to mend: lost jobs are marked as errors, orphaned rows removed.',
  }),
};

function checkFlag(summary: string) {
  return Flags.string({
    summary,
    helpValue: 'ID',
    options: CHECK_IDS,
    multiple: true,
    multipleNonGreedy: true,
  });
}

/** Which checks the flags choose. */
export function selection(flags: {check?: string[]; skip?: string[]}): Selection {
  return {only: flags.check, skip: flags.skip};
}

/** The site as the doctor is to see it. @throws AtomctlError USAGE where a setting is wrong */
export async function patient(context: Context, flags: {'stuck-after': number}): Promise<Patient> {
  const site = await context.site();
  const [root, prefix, workerTypes, downloads, time, manager, {readStartLimit}] = await Promise.all([
    site.root(),
    site.functionPrefix(),
    site.workerTypes(),
    site.downloads(),
    context.time(),
    serviceManager(context, {'user-manager': false}),
    import('../worker/read-start-limit.ts'),
  ]);
  return {
    database: () => context.database(),
    databaseConfig: async () => (await site.database()).value,
    servers: () => context.servers(),
    manager,
    readLimit: (unit) => readStartLimit(unit, manager.scope, context.now()),
    time,
    now: context.now,
    root: root.value,
    prefix: prefix.value,
    workerTypes: workerTypes.value,
    downloads,
    stuckAfterSeconds: flags['stuck-after'],
  };
}

/**
 * Says on stderr what would be mended, asks, and mends.
 * @throws AtomctlError DECLINED, INTERRUPTED at the question
 */
export async function mend(
  planned: readonly PlannedRemedy[],
  {examination, assumeYes, quiet}: {examination: Examination; assumeYes: boolean; quiet: boolean},
): Promise<{fixed: Fixed[]; interrupted: boolean}> {
  const {stdin, stdout, stderr} = process;
  if (!assumeYes || !quiet) for (const {plan} of planned) stderr.write(`${sanitizeLine(plan)}\n`);
  await confirm({question: 'Mend this? (y/N)', assumeYes, stdin, stdout, stderr});
  return interruptibly(async (signal) => ({
    fixed: await applyRemedies({
      remedies: planned.map(({remedy}) => remedy),
      examination: startExamination(examination.patient),
      by: `${userInfo().username}@${hostname()}`,
      signal,
    }),
    interrupted: signal.aborted,
  }));
}
