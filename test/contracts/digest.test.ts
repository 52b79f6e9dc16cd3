import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../../src/contracts/digest.ts';

describe('a digest', () => {
  it('is a whole number that is the same for the same text', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        expect(Number.isSafeInteger(digestOf(text))).toBe(true);
        expect(digestOf(text)).toBeGreaterThanOrEqual(0);
        expect(digestOf(`${text}x`.slice(0, -1))).toBe(digestOf(text));
      }),
    );
  });

  it('tells texts apart that differ in a single place', () => {
    const texts = Array.from(
      { length: 20_000 },
      (_, n) => `{"ip_addresses":["10.128.${n >> 8}.${n & 255}/23"]}`,
    );
    expect(new Set(texts.map(digestOf)).size).toBe(texts.length);
  });
});
