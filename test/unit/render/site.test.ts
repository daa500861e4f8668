import {describe, expect, test} from 'vitest';
import type {SiteDocument} from '../../../src/atom/site-document.ts';
import {renderSite} from '../../../src/render/site.ts';

const ROOT = '/srv/www/archives.example.org/current/atom';
const SITE: SiteDocument = {
  root: {value: ROOT, origin: 'ATOMCTL_ROOT'},
  database: {
    value: {
      ...{host: 'database.archives.example.org', port: 3306, socketPath: null},
      ...{user: 'atom', password: '***', database: 'atom', tls: {mode: 'verify-ca', caFile: null}},
    },
    origin: `${ROOT}/config/config.php, ATOM_MYSQL_DSN`,
  },
  gearmanServers: {value: ['127.0.0.1:4730'], origin: `${ROOT}/apps/qubit/config/gearman.yml`},
  functionPrefix: {value: '0123456789abcdef'.repeat(2), origin: ROOT},
  timezone: {value: 'America/Vancouver', origin: 'default'},
  workerTypes: {value: {general: ['arFileImportJob']}, origin: `${ROOT}/apps/qubit/config/gearman.yml`},
};
const screen = (width: number) => ({isTTY: true, width, color: false});
const words = (text: string) =>
  text
    .replace(/SETTING|VALUE|ORIGIN|[()]/g, '')
    .trim()
    .split(/\s+/);

describe('the settings of a site', () => {
  test('have a line each, with the origin, if that fits', async () => {
    const lines = (await renderSite(SITE, screen(200))).split('\n');
    expect(lines[0]).toMatch(/^SETTING +VALUE +ORIGIN$/);
    expect(lines[1]).toMatch(new RegExp(`^root +${ROOT} +ATOMCTL_ROOT$`));
  });

  test.each([80, 60])('lose nothing in %s columns, and no word is cut', async (width) => {
    const text = await renderSite(SITE, screen(width));
    expect(words(text)).toEqual(words(await renderSite(SITE, screen(Number.POSITIVE_INFINITY))));
    const wide = text.split('\n').filter((line) => line.length > width);
    // A path or URL that is too wide stands alone in its line.
    expect(wide.filter((line) => words(line.slice(17)).length > 1)).toEqual([]);
    expect(text).toContain(`root             ${ROOT}\n                 (ATOMCTL_ROOT)\n`);
  });
});
