import {usageError} from '../errors.ts';
import {formatAddress, parseAddress, type ServerAddress} from '../gearman/address.ts';
import type {Setting} from './site.ts';
import {knownZone} from './zone.ts';

/**
 * A list of Gearman servers; each text may itself be a comma-separated list, and a server named twice counts once.
 * @throws AtomctlError USAGE where one is no address, or there is none
 */
export function readServers({value, origin}: Setting<string[]>): Setting<ServerAddress[]> {
  const addresses = value
    .flatMap((text) => text.split(','))
    .filter((text) => text.trim() !== '')
    .map((text) => parseAddress(text, origin));
  if (addresses.length === 0) {
    throw usageError(`The list of Gearman servers (${origin}) is empty.`, 'Give HOST[:PORT], once or more.');
  }
  const distinct = new Map(addresses.map((address) => [formatAddress(address), address]));
  return {value: [...distinct.values()], origin};
}

/**
 * A function prefix; the dash that stands between it and the job class may be given with it. The empty text is none,
 * as of AtoM before 2.5.2.
 * @throws AtomctlError USAGE where it is not 32 hexadecimal digits
 */
export function readPrefix({value, origin}: Setting<string>): Setting<string> {
  const prefix = value === '' ? '' : /^([0-9a-f]{32})-?$/.exec(value)?.[1];
  if (prefix !== undefined) return {value: prefix, origin};
  throw usageError(
    `"${value}" (${origin}) is no function prefix, which is 32 hexadecimal digits.`,
    'atomctl queue:status --all-sites shows the prefixes that the servers have.',
  );
}

/**
 * A timezone by its IANA name, as written.
 * @throws AtomctlError USAGE where this Node does not know it; offsets such as +01:00 are no zones
 */
export function readZone({value, origin}: Setting<string>): Setting<string> {
  if (/^[A-Za-z]/.test(value) && knownZone(value) !== null) return {value, origin};
  throw usageError(
    `"${value}" (${origin}) is no known timezone.`,
    'Give an IANA name such as America/Vancouver.',
  );
}
