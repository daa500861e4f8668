import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The anchors of a document's headings, as GitHub names them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** The links to files that do not exist or to headings that are not there. */
function brokenLinks(path: string, text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [file, anchor] = link.split('#') as [string, string | undefined];
    const target = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchors(file === '' ? text : read(target)).includes(anchor);
  });
}

describe('the documents', () => {
  it('have links that lead somewhere', () => {
    expect(
      DOCUMENTS.flatMap((path) => brokenLinks(path, read(path)).map((link) => `${path}: ${link}`)),
    ).toEqual([]);
    const text =
      '# Two words\n[a](#two-words) [b](#three) [c](gone.md) [d](https://example.org) [e](../README.md#x)';
    expect(brokenLinks('docs/index.md', text)).toEqual(['#three', 'gone.md', '../README.md#x']);
  });

  it('that every package has link only to each other', () => {
    const shipped = DOCUMENTS.filter((path) => path === 'README.md' || path.startsWith('docs/'));
    const links = shipped.flatMap((path) =>
      [...read(path).matchAll(/\]\(([^)#\s]+)/g)]
        .map(([, link]) => link!)
        .filter((link) => !/^https?:/.test(link))
        .map((link) => relative(ROOT, join(ROOT, dirname(path), link))),
    );
    expect(links.filter((path) => path !== 'README.md' && !path.startsWith('docs/'))).toEqual([]);
  });

  it('I7: name no registry, and only scripts and files that there are', () => {
    const {version, scripts} = JSON.parse(read('package.json'));
    const text = DOCUMENTS.map(read).join('\n');
    expect(text).not.toMatch(
      /git clone|npx atomctl|npm install (--global|-g) atomctl|apt(-get)? install atomctl/,
    );
    const run = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);
    expect(run.filter((name) => scripts[name] === undefined)).toEqual([]);
    const released = [...text.matchAll(/\batomctl[_-](\d+\.\d+\.\d+)(?=[_.-]\w)/g)].map(
      ([, number]) => number,
    );
    expect(new Set(released)).toEqual(new Set([version]));
  });

  it('are all named by docs/index.md', () => {
    const named = [...read('docs/index.md').matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => `docs/${link}`);
    const pages = DOCUMENTS.filter((path) => path.startsWith('docs/') && path !== 'docs/index.md');
    expect(named.sort()).toEqual(pages.sort());
  });

  it('begin with a README of less than 150 lines', () => {
    expect(read('README.md').split('\n').length).toBeLessThan(150);
  });
});
