/**
 * Takes DEBUG out of the environment before oclif loads. oclif's own debug lines print argv whole, and argv may
 * hold a database password; atomctl's stack traces, which DEBUG asks for, are scrubbed (see failure.ts).
 */
export const debugEnabled = Boolean(process.env.DEBUG);
delete process.env.DEBUG;
