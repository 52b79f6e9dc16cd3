import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(__dirname, '../..');

/** Tests as the document names them: `file` › "title". */
function namedTests(document: string): readonly { readonly file: string; readonly title: string }[] {
  const flat = document.replace(/\s+/g, ' ');
  return [...flat.matchAll(/`(test\/[^`]+)` › "([^"]+)"/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }));
}

/** Whether the file has a test of this title, as a text that is the first argument of a call. */
function hasTest(file: string, title: string): boolean {
  const path = join(ROOT, file);
  if (!existsSync(path)) return false;
  const text = readFileSync(path, 'utf8');
  return ["'", '"', '`'].some(quote => new RegExp(`\\(\\s*${quote}${literal(title)}${quote},`).test(text));
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

describe('docs/cni.md', () => {
  const document = readFileSync(join(ROOT, 'docs/cni.md'), 'utf8');

  it('names tests that exist', () => {
    const named = namedTests(document);
    expect(named.filter(({ file, title }) => !hasTest(file, title))).toEqual([]);
    expect(named.length).toBeGreaterThan(50);
  });

  it('names a test for each requirement', () => {
    const rows = document
      .split('\n')
      .filter(line => line.startsWith('| ') && !line.startsWith('| requirement'));
    expect(rows.filter(row => namedTests(row).length === 0)).toEqual([]);
    expect(rows.length).toBeGreaterThan(30);
  });

  it('would not name one that does not exist', () => {
    expect(namedTests('`test/a.test.ts` › "is", `test/b.test.ts` › "is\nnot"')).toEqual([
      { file: 'test/a.test.ts', title: 'is' },
      { file: 'test/b.test.ts', title: 'is not' },
    ]);
    expect(hasTest('test/project/cni-document.test.ts', 'names tests that exist')).toBe(true);
    expect(hasTest('test/project/cni-document.test.ts', 'names tests')).toBe(false);
    expect(hasTest('test/project/no-such.test.ts', 'names tests that exist')).toBe(false);
  });
});
