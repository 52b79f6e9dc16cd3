import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deepEqual } from '../../src/engine/deep-equal.ts';

describe('deepEqual', () => {
  it.each<[unknown, unknown]>([
    [1, 2],
    [1, '1'],
    [1n, 1],
    [null, undefined],
    [null, {}],
    [0, null],
    [[1, 2], [1]],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: 1, b: 1 }, { a: 1 }],
    [{ a: undefined }, { b: undefined }],
    [[], {}],
    [new Set([1]), new Set([2])],
    [new Set([1]), new Set([1, 2])],
    [new Map([['a', 1]]), new Map([['a', 2]])],
    [new Map([['a', undefined]]), new Map([['b', undefined]])],
    [new Map(), new Set()],
    [{ a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 3 }] } }],
  ])('tells %j from %j', (a, b) => {
    expect(deepEqual(a, b)).toBe(false);
  });

  it.each<[unknown, unknown]>([
    [Number.NaN, Number.NaN],
    [5n, 5n],
    [
      { a: 1, b: [2, { c: 3n }] },
      { b: [2, { c: 3n }], a: 1 },
    ],
    [new Set([1, 2]), new Set([2, 1])],
    [new Map([['a', [1]]]), new Map([['a', [1]]])],
  ])('takes %p for %p', (a, b) => {
    expect(deepEqual(a, b)).toBe(true);
  });

  it('takes a copy for its original', () => {
    fc.assert(
      fc.property(
        fc.clone(fc.anything({ withBigInt: true, withNullPrototype: false, maxDepth: 3 }), 2),
        ([a, b]) => deepEqual(a, b),
      ),
    );
  });
});
