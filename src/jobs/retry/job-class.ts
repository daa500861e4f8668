import {isAtomClass} from '../../atom/job-classes.ts';
import type {PhpArray} from '../../php/value.ts';

/** The classes of the exports from the clipboard, by `objectType` and format: AtoM's clipboard/exportAction. */
const CLIPBOARD: ReadonlyMap<unknown, Readonly<Partial<Record<'csv' | 'xml', string>>>> = new Map([
  ['informationObject', {csv: 'arInformationObjectCsvExportJob', xml: 'arInformationObjectXmlExportJob'}],
  ['actor', {csv: 'arActorCsvExportJob', xml: 'arActorXmlExportJob'}],
  ['repository', {csv: 'arRepositoryCsvExportJob'}],
]);

/**
 * The class of a job, from its name, or from its parameters if AtoM gave it a translated name; null if they do not tell it.
 * Every translation of "CSV export" and "XML export" keeps the abbreviation, which alone tells the two apart, and none can be the
 * name of a class. Any other name that can is taken for a plugin's class.
 */
export function classOfJob(name: string, parameters: PhpArray): string | null {
  if (isAtomClass(name)) return name;
  if (parameters.has('overwrite_or_combine')) return 'arInheritRightsJob';
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  const formats = (['csv', 'xml'] as const).filter((format) => name.toLowerCase().includes(format));
  const clipboard = CLIPBOARD.get(parameters.get('objectType'));
  return (formats.length === 1 && clipboard?.[formats[0]!]) || null;
}
