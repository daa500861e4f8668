import type {MaskedDatabase, SiteDocument} from '../atom/site-document.ts';
import type {Screen} from './screen.ts';
import {renderTable} from './table.ts';

/** The site's settings: one line each, with its origin. */
export function renderSite(site: SiteDocument, screen: Screen): Promise<string> {
  const classes = new Set(Object.values(site.workerTypes.value).flat());
  const rows = [
    {name: 'root', value: site.root.value, origin: site.root.origin},
    {name: 'database', value: databaseText(site.database.value), origin: site.database.origin},
    {name: 'gearman', value: site.gearmanServers.value.join(', '), origin: site.gearmanServers.origin},
    {name: 'function prefix', value: site.functionPrefix.value, origin: site.functionPrefix.origin},
    {name: 'timezone', value: site.timezone.value, origin: site.timezone.origin},
    {name: 'job classes', value: `${classes.size} listed`, origin: site.workerTypes.origin},
  ];
  return renderTable(
    [
      {header: 'SETTING', text: ({name}) => name},
      {header: 'VALUE', text: ({value}) => value ?? '(unknown)', shrinks: true},
      {header: 'ORIGIN', text: ({origin}) => origin, shrinks: true},
    ],
    rows,
    screen,
  );
}

/** The database as a URL without its password. */
function databaseText(database: MaskedDatabase | null): string | null {
  if (database === null) return null;
  const {user, password, host, port, socketPath, tls} = database;
  const login = `${encodeURIComponent(user)}${password === '' ? '' : `:${password}`}`;
  const place = socketPath === null ? `${host}:${port}` : 'localhost';
  const options = [
    ...(socketPath === null ? [] : [`socketPath=${socketPath}`]),
    ...(tls.mode === 'off' ? [] : [`ssl=${tls.mode}`]),
  ].join('&');
  return `mysql://${login}@${place}/${encodeURIComponent(database.database)}${options === '' ? '' : `?${options}`}`;
}
