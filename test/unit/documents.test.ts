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

  it('are all named by docs/index.md', () => {
    const named = [...read('docs/index.md').matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => `docs/${link}`);
    const pages = DOCUMENTS.filter((path) => path.startsWith('docs/') && path !== 'docs/index.md');
    expect(named.sort()).toEqual(pages.sort());
  });

  it('begin with a README of less than 150 lines', () => {
    expect(read('README.md').split('\n').length).toBeLessThan(150);
  });
});
