import {fileURLToPath} from 'node:url';
import {runOnTerminal} from '../atomctl/run-atomctl.ts';
import type {DemoSite} from './demo-site.ts';

/** The picture on the README's first screen. */
export const PICTURE = fileURLToPath(new URL('../../../docs/demo.svg', import.meta.url));

const COLUMNS = 100;
/** Without what depends on the machine's systemd. */
const COMMANDS = [
  ['jobs:list', '--running'],
  ['doctor', '--skip', 'worker-unit,worker-renewal,worker-ordering'],
];

const CELL = {width: 8.4, height: 18};
const MARGIN = 16;
const BACKGROUND = '#1e1e1e';
const FOREGROUND = '#d4d4d4';
/** By the number of SGR: the colours that atomctl uses; 2 is faint. */
const COLORS: ReadonlyMap<string, string> = new Map([
  ['31', '#f48771'],
  ['32', '#89d185'],
  ['33', '#e2c08d'],
  ['36', '#4fc1ff'],
  ['2', '#8a8a8a'],
]);

const ENDS_COLOR = new Set(['22', '39']);

interface Piece {
  column: number;
  text: string;
  bold: boolean;
  color: string;
}

/** What the commands print on the demo's site, as SVG. */
export async function drawDemo({env}: DemoSite): Promise<string> {
  const lines: string[] = [];
  for (const args of COMMANDS) {
    const {screen} = await runOnTerminal(args, {columns: COLUMNS, env: definedOf(env)});
    lines.push(`\u001b[1m$ atomctl ${args.join(' ')}\u001b[22m`, ...screen.trimEnd().split('\n'), '');
  }
  return drawLines(lines.slice(0, -1));
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Lines as a terminal gets them, with SGR sequences for colours, as SVG. */
export function drawLines(lines: readonly string[]): string {
  const width = 2 * MARGIN + COLUMNS * CELL.width;
  const height = 2 * MARGIN + lines.length * CELL.height;
  const rows = lines.map((line, row) => drawLine(line, MARGIN + (row + 0.75) * CELL.height));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="14">`,
    '<title>atomctl jobs:list and atomctl doctor on a terminal</title>',
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    ...rows,
    '</svg>\n',
  ].join('\n');
}

function drawLine(line: string, y: number): string {
  const spans = pieces(line).map(({column, text, bold, color}) => {
    const x = (MARGIN + column * CELL.width).toFixed(1);
    const length = (text.length * CELL.width).toFixed(1);
    return `<tspan x="${x}" textLength="${length}" fill="${color}"${bold ? ' font-weight="bold"' : ''}>${escaped(text)}</tspan>`;
  });
  return `<text xml:space="preserve" y="${y}">${spans.join('')}</text>`;
}

/** The words of a line, each with its place: a font whose characters are a little wider moves none of them. */
function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let [column, bold, color] = [0, false, FOREGROUND];
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    const [, codes] = /^\u001b\[([\d;]*)m$/.exec(part) ?? [];
    for (const code of codes?.split(';') ?? []) {
      if (code === '1') bold = true;
      if (code === '22') bold = false;
      color = COLORS.get(code) ?? (ENDS_COLOR.has(code) ? FOREGROUND : color);
    }
    if (codes !== undefined) continue;
    for (const {0: text, index} of part.matchAll(/\S+(?: \S+)*/g))
      found.push({column: column + index, text, bold, color});
    column += part.length;
  }
  return found;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** The words of a picture without what is another one each time: times, durations, numbers. */
export function wordsOf(svg: string): string {
  const text = [...svg.matchAll(/<tspan[^>]*>([^<]*)/g)].map(([, word]) => word).join(' ');
  return text.replace(/\d+[dhms](?: \d+[dhms])*/g, 'DURATION').replace(/\d+(?:[.:-]\d+)*/g, '0');
}
