import {join} from 'node:path';
import {AtomctlError} from '../errors.ts';
import {stat} from '../files/sync-files.ts';
import {asOwner, isPermissionDenied} from '../system-failure.ts';
import type {Setting, SiteSurroundings} from './site.ts';
import type {NamedSite} from './site-file.ts';
import {candidateRoots, USUAL_PLACES} from './site-root.ts';

export interface SiteSearch {
  /** What was searched for: "No AtoM installation was found." */
  message: string;
  /** What can be given instead, a sentence. */
  instead: string;
  root: Setting<string | null>;
  /** The named site that was asked for; undefined if none was. */
  named: NamedSite | undefined;
  /** All that are configured. */
  sites: readonly NamedSite[];
  surroundings: Pick<SiteSurroundings, 'cwd' | 'usualPlaces'>;
}

/** The error for a site that was not found: where it was looked for, and which sites are configured. */
export async function noSite(search: SiteSearch): Promise<AtomctlError> {
  const {message, instead, root, named, sites} = search;
  const places = named === undefined && root.value === null ? await searchedPlaces(search) : [];
  const names = sites.map(({name}) => name).join(', ');
  const configured =
    named !== undefined
      ? [`The site "${named.name}" does not name one at ${named.origin}.`]
      : names !== ''
        ? [`Configured sites: ${names}. Choose one with --site NAME.`]
        : [];
  return new AtomctlError('NO_SITE', message, {hint: [...places, ...configured, instead].join(' ')});
}

async function searchedPlaces({surroundings}: SiteSearch): Promise<string[]> {
  const {cwd, usualPlaces = USUAL_PLACES} = surroundings;
  const here = cwd === '/' ? cwd : `${cwd} and the directories above it`;
  const searched = `Looked in ${[here, ...usualPlaces].join(', ')}.`;
  const roots = (await Promise.all(usualPlaces.map(candidateRoots))).flat();
  const denied = await Promise.all([cwd, ...roots].map(isDenied));
  const [first] = [cwd, ...roots].filter((_, at) => denied[at]);
  if (first === undefined) return [searched];
  return [searched, `Permission denied in ${first}: try ${asOwner(first)}.`];
}

async function isDenied(place: string): Promise<boolean> {
  return stat(join(place, 'symfony')).then(() => false, isPermissionDenied);
}
