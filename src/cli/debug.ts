/**
 * Removes DEBUG from the environment before oclif loads. oclif's debug lines print argv, which may hold a database
 * password. With DEBUG, atomctl prints its own stack traces, with passwords masked (see failure.ts).
 */
export const debugEnabled = Boolean(process.env.DEBUG);
delete process.env.DEBUG;
