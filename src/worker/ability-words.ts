import type {Registration} from './abilities.ts';

/** `14 abilities with 127.0.0.1:4730`; of several servers the largest number. */
export function abilityCount(registered: readonly Registration[]): string {
  const count = Math.max(0, ...registered.map(({abilities}) => abilities.length));
  return `${count} ${count === 1 ? 'ability' : 'abilities'} with ${serverList(registered)}`;
}

export function serverList(registered: readonly Registration[]): string {
  return registered.map(({server}) => server).join(', ');
}

/** What is wrong with a running worker's registrations: a sentence for each server, none where all is well. */
export function registrationFaults(registered: readonly Registration[]): string[] {
  return registered.flatMap((registration) => {
    const fault = registrationFault(registration);
    return fault === null ? [] : [fault];
  });
}

/** One server's, or null. */
export function registrationFault(registration: Registration): string | null {
  const {server, error, abilities, missing, strangePrefixes} = registration;
  if (error !== null) return `it is not known what it has registered with ${server}: ${error}`;
  if (abilities.length === 0 && strangePrefixes.length > 0) {
    return (
      `it is registered with ${server} under another prefix (${strangePrefixes.join(', ')}) than this site's:` +
      ' it gets no job of this site.'
    );
  }
  if (abilities.length === 0) return `it has registered nothing with ${server}: it does no jobs.`;
  return missing.length > 0 ? `it has not registered ${enumerate(missing)} with ${server}.` : null;
}

/** The first three by name, the rest by number. */
function enumerate(names: readonly string[]): string {
  const rest = names.length - 3;
  return `${names.slice(0, 3).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
