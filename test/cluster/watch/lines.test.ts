import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter } from '../../../src/cluster/watch/lines.ts';

function linesOf(bytes: Uint8Array, cuts: readonly number[], limit = 1000): string[] {
  const splitter = new LineSplitter(limit);
  const lines: string[] = [];
  const at = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, from] of at.slice(0, -1).entries()) {
    splitter.push(bytes.slice(from, at[index + 1]), line => lines.push(line));
  }
  return lines;
}

const line = fc
  .string({ unit: 'binary' })
  .filter(text => text !== '' && !text.includes('\n') && text.isWellFormed());

describe('bytes', () => {
  it('become the same lines, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map(text => `${text}\n`).join(''));
        expect(linesOf(bytes, cuts)).toEqual(lines);
      }),
      { numRuns: 60 },
    );
  });

  it('become the same lines when they come one by one', () => {
    const bytes = Buffer.from('grün\n\n漢字 🙂\nhalf');
    expect(linesOf(bytes, [...bytes.keys()])).toEqual(['grün', '漢字 🙂']);
  });

  it('may be a line as long as the limit, and no longer', () => {
    for (const cuts of [[], [3], [1, 2, 3, 4, 5]]) {
      expect(linesOf(Buffer.from('12345\n'), cuts, 5)).toEqual(['12345']);
      expect(() => linesOf(Buffer.from('123456'), cuts, 5)).toThrow(/longer than 5 bytes/);
      expect(() => linesOf(Buffer.from('123456\n'), cuts, 5)).toThrow(/longer than 5 bytes/);
    }
  });

  it('of a few MB cost their size, and are given back', () => {
    const splitter = new LineSplitter(32 * 1024 * 1024);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const lengths: number[] = [];
    for (let count = 0; count < 64; count++) splitter.push(chunk, () => {});
    splitter.push(Buffer.from('\n'), text => lengths.push(text.length));
    expect(lengths).toEqual([4 * 1024 * 1024]);
  });
});
