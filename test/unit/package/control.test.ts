import {execFileSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';

const CONTROL = fileURLToPath(new URL('../../../package/control', import.meta.url));

it('the control file has the name of the maintainer as it is', () => {
  const maintainer = String.raw`A & B / "C" \1 $HOME <archive@example.org>`;
  const control = execFileSync(CONTROL, ['1.2.3', maintainer, '113000'], {encoding: 'utf8'});
  expect(control).toContain(
    `\nVersion: 1.2.3\nArchitecture: amd64\nMaintainer: ${maintainer}\nInstalled-Size: 113000\n`,
  );
});
