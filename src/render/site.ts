import type {MaskedDatabase, SiteDocument} from '../atom/site-document.ts';
import {sanitizeLine} from './sanitize.ts';
import {paint, type Screen} from './screen.ts';
import {type Column, renderTable} from './table.ts';
import {columnsOf, wrap} from './wrap.ts';

interface Setting {
  name: string;
  value: string | null;
  origin: string;
}

const COLUMNS: Column<Setting>[] = [
  {header: 'SETTING', text: ({name}) => name},
  {header: 'VALUE', text: ({value}) => value ?? '(unknown)'},
  {header: 'ORIGIN', text: ({origin}) => origin},
];

/** The site's settings, one line each with its origin; if the screen is too narrow for one, the origins are below. */
export async function renderSite(site: SiteDocument, screen: Screen): Promise<string> {
  const classes = new Set(Object.values(site.workerTypes.value).flat());
  const rows = [
    {name: 'root', value: site.root.value, origin: site.root.origin},
    {name: 'database', value: databaseText(site.database.value), origin: site.database.origin},
    {name: 'gearman', value: site.gearmanServers.value.join(', '), origin: site.gearmanServers.origin},
    {name: 'function prefix', value: site.functionPrefix.value, origin: site.functionPrefix.origin},
    {name: 'timezone', value: site.timezone.value, origin: site.timezone.origin},
    {name: 'job classes', value: `${classes.size} listed`, origin: site.workerTypes.origin},
  ];
  // Nothing of a setting is cut: it is there to be compared and copied.
  const table = await renderTable(COLUMNS, rows, {...screen, width: Number.POSITIVE_INFINITY});
  const fits = table.split('\n').every((line) => columnsOf(line) <= screen.width);
  return fits ? table : rows.map((row) => renderSetting(row, screen)).join('');
}

const LABEL = 17;
/** Between the lines of a setting. */
const BELOW = `\n${' '.repeat(LABEL)}`;

function renderSetting(setting: Setting, screen: Screen): string {
  const [name, ...texts] = COLUMNS.map(({text}) => sanitizeLine(text(setting))) as [string, ...string[]];
  const [value, origin] = texts.map((text) => wrap(text, screen.width - LABEL).join(BELOW));
  const label = paint(screen, 'bold', name.padEnd(LABEL));
  return `${label}${value}${BELOW}${paint(screen, 'dim', `(${origin})`)}\n`;
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
