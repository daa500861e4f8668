import {stripVTControlCharacters} from 'node:util';
import stringWidth from 'string-width';
import {describe, expect, it} from 'vitest';
import type {Screen} from '../../../src/render/screen.ts';
import {type Column, renderTable} from '../../../src/render/table.ts';

interface Row {
  id: number;
  name: string;
  info: string;
}

const COLUMNS: Column<Row>[] = [
  {header: 'ID', align: 'right', text: ({id}) => String(id)},
  {header: 'NAME', shrinks: true, text: ({name}) => name, color: () => 'green'},
  {header: 'INFO', shrinks: true, text: ({info}) => info},
];
const PIPE: Screen = {isTTY: false, width: Number.POSITIVE_INFINITY, color: false};
const ROWS: Row[] = [
  {id: 7, name: 'arFileImportJob', info: 'Imported 12 of 900 rows into the fonds of the town'},
  {id: 155764, name: 'x', info: '日本語の説明、とても長い説明文です。終わりまで見えますか'},
];

describe('renderTable', () => {
  it('cuts nothing in a pipe', async () => {
    const table = await renderTable(COLUMNS, ROWS, PIPE);
    expect(table).toBe(
      '    ID  NAME             INFO\n' +
        '     7  arFileImportJob  Imported 12 of 900 rows into the fonds of the town\n' +
        '155764  x                日本語の説明、とても長い説明文です。終わりまで見えますか\n',
    );
  });

  it.each([30, 40, 60, 80])(
    'fits a terminal of %i columns, wide characters counted as two',
    async (width) => {
      const table = await renderTable(COLUMNS, ROWS, {isTTY: true, width, color: true});
      const lines = table.trimEnd().split('\n');
      expect(lines).toHaveLength(3);
      for (const line of lines)
        expect(stringWidth(stripVTControlCharacters(line))).toBeLessThanOrEqual(width);
      expect(table.includes('…')).toBe(width < 81);
      expect(lines[1]).toContain('\u001b[32m');
    },
  );

  it('is the same for both layouts if it fits', async () => {
    const wide: Row = {id: 1, name: 'wide', info: 'x'.repeat(60)};
    const rows = [{id: 7, name: '説明', info: 'short'}, ROWS[0]!];
    for (const color of [false, true]) {
      const whole = await renderTable(COLUMNS, rows, {isTTY: true, width: 200, color});
      const cut = await renderTable(COLUMNS, [...rows, wide], {isTTY: true, width: 79, color});
      expect(cut.split('\n').slice(0, 3)).toEqual(whole.split('\n').slice(0, 3));
      expect(cut).toContain('xx…');
    }
  });

  it('keeps a cell on one line and makes its control characters visible', async () => {
    const table = await renderTable(COLUMNS, [{id: 1, name: 'a\nb', info: '\u001b[2Jc'}], PIPE);
    expect(table.split('\n')[1]).toBe(' 1  a b   \\x1b[2Jc');
  });

  it('handles a text as long as a database column can hold', async () => {
    const info = 'x'.repeat(65_535);
    const rows = [
      {id: 1, name: 'n', info},
      ...Array.from({length: 500}, () => ({id: 2, name: 'n', info: 'y'})),
    ];
    const columns = [...COLUMNS, {header: 'END', text: () => 'e'}];
    const lines = (await renderTable(columns, rows, PIPE)).trimEnd().split('\n');
    expect(new Set(lines.slice(1).map((line) => line.length))).toEqual(new Set([lines[1]!.length]));
    expect(lines[1]).toContain(info);
  });

  it('aligns all rows of a long table', async () => {
    const rows = Array.from({length: 450}, (_, index) => ({
      id: index,
      name: 'n'.repeat(1 + (index % 9)),
      info: 'i',
    }));
    const lines = (await renderTable(COLUMNS, rows, PIPE)).trimEnd().split('\n');
    expect(lines).toHaveLength(451);
    expect(new Set(lines.slice(1).map((line) => line.lastIndexOf('i')))).toEqual(new Set([16]));
  });
});
