import { describe, expect, it } from '@jest/globals';
import { type ProjectFile, projectFiles } from './files.ts';

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
  readonly files: RegExp;
  /** One line that the rule must catch, and one that it must let pass. */
  readonly caught: string;
  readonly passed: string;
}

/** Joins the parts of a forbidden word, which this file could otherwise not name without containing it. */
const word = (...parts: readonly string[]): string => parts.join('');

const ALL = /./;
const CODE = /\.(ts|mjs|js)$/;
const TESTS = /\.ts$/;
const SKIP_HELPER = 'test/support/skip.ts';

const folder = word('/', 'work');
const host = word('registry', '.npmjs.org');

const RULES: readonly Rule[] = [
  {
    what: 'a path of one machine',
    pattern: /(?<![\w.*-])\/(?:work|farm|home\/\w+)(?![\w-])/,
    files: ALL,
    caught: `see ${folder}/design.md`,
    passed: 'https://example.org/work, ./work, /workers',
  },
  {
    what: 'a folder outside the project',
    pattern: new RegExp(word('\\.\\./', 'shared\\b')),
    files: ALL,
    caught: word('../', 'shared/design.md'),
    passed: '../sharedMemory.ts',
  },
  {
    what: 'a host of packages, which is for the machine to choose',
    pattern: new RegExp(
      [word('deb', '\\.debian\\.org'), host.replaceAll('.', '\\.'), word('proxy', '\\.golang\\.org')].join(
        '|',
      ),
    ),
    files: ALL,
    caught: `npm config set registry https://${host}`,
    passed: 'https://www.debian.org/',
  },
  {
    what: 'the type that switches types off',
    pattern: /(?::|\bas|<)\s*any\b(?!\s+[a-z])/,
    files: TESTS,
    caught: word('const a: ', 'any = 1;'),
    passed: '// two kinds: any pod, as any other object',
  },
  {
    what: 'a comment that silences the compiler',
    pattern: new RegExp(word('@ts-', '(?:ignore|nocheck|expect-error)')),
    files: CODE,
    caught: word('// @ts-', 'ignore'),
    passed: '// ts-node is not needed',
  },
  {
    what: 'work left for later',
    pattern: new RegExp(`\\b(?:${word('TO', 'DO')}|${word('FIX', 'ME')})\\b`),
    files: ALL,
    caught: word('// TO', 'DO: later'),
    passed: 'a todo list',
  },
  {
    what: 'a test that hides others, or itself',
    pattern: /\b(?:it|test|describe)(?:\.\w+)*\.(?:only|skip|todo|failing)\b|\b[fx](?:it|describe|test)\(/,
    files: /^test\/.*\.ts$/,
    caught: word('describe.', 'only("a", () => {});'),
    passed: 'it.each([]); exit(); list.only();',
  },
];

const hits = (files: readonly ProjectFile[], { pattern }: Rule): readonly string[] =>
  files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );

const files = projectFiles('.');

describe('no file of the project has', () => {
  it.each(RULES)('$what', rule => {
    const read = files.filter(({ path }) => rule.files.test(path) && path !== SKIP_HELPER);
    expect(read.length).toBeGreaterThan(0);
    expect(hits(read, rule)).toEqual([]);
  });
});

describe('the rule against', () => {
  it.each(RULES)('$what catches it, and no more', rule => {
    expect(hits([{ path: 'a.ts', text: `\n${rule.caught}\n` }], rule)).toEqual([`a.ts:2: ${rule.caught}`]);
    expect(hits([{ path: 'a.ts', text: rule.passed }], rule)).toEqual([]);
  });
});
