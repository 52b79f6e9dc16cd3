import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Ledger, type Mover, resolveMoves } from '../../src/allocate/moves.ts';

class Shelf implements Ledger<string, string> {
  readonly holders = new Map<string, string>();

  holderOf(resource: string): string | undefined {
    return this.holders.get(resource);
  }
  add(resource: string, holder: string): void {
    this.holders.set(resource, holder);
  }
  delete(resource: string): void {
    this.holders.delete(resource);
  }
  same(a: string, b: string): boolean {
    return a === b;
  }
}

/** Movers as `who: has > wants`, one letter for each resource; `s` stands still and holds `sits`. */
function move(movers: readonly string[], sits = ''): { stuck: string[]; holders: Record<string, string> } {
  const shelf = new Shelf();
  for (const resource of sits) shelf.add(resource, 's');
  const parsed = movers.map(text => {
    const [who = '', has = '', wants = ''] = text.split(/[:>]/).map(part => part.trim());
    return { who, has: [...has], wants: [...wants] };
  });
  for (const { who, has } of parsed) for (const resource of has) shelf.add(resource, who);
  const stuck = resolveMoves(parsed, shelf);
  return {
    stuck: [...stuck].map(([who, { resource, holder }]) => `${who}: ${resource} of ${holder}`).sort(),
    holders: Object.fromEntries([...shelf.holders].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

describe('resolveMoves', () => {
  it.each([
    ['a swap', ['a: x > y', 'b: y > x'], '', { x: 'b', y: 'a' }, []],
    ['a ring', ['a: x > y', 'b: y > z', 'c: z > x'], '', { x: 'c', y: 'a', z: 'b' }, []],
    ['the first of two', ['a: > x', 'b: > x'], '', { x: 'a' }, ['b: x of a']],
    ['the holder before the first', ['a: > x', 'b: x > xy'], '', { x: 'b', y: 'b' }, ['a: x of b']],
    [
      'a chain that ends in one who stays',
      ['a: > x', 'b: x > y', 'c: y > z'],
      'z',
      { x: 'b', y: 'c', z: 's' },
      ['a: x of b', 'b: y of c', 'c: z of s'],
    ],
    // a takes y and x, until b is back on x; then y is c's.
    [
      'nothing of a failed attempt',
      ['a: > xy', 'b: x > z', 'c: > y'],
      'z',
      { x: 'b', y: 'c', z: 's' },
      ['a: x of b', 'b: z of s'],
    ],
    // b fails on y, which a has only until it fails on f.
    [
      'one who failed for the sake of another that failed',
      ['a: > yf', 'b: f > y'],
      '',
      { y: 'b' },
      ['a: y of b'],
    ],
  ])('%s', (_name, movers, sits, holders, stuck) => {
    expect(move(movers, sits)).toEqual({ stuck, holders });
  });

  it('moves each wholly or not at all, and leaves nobody stuck on what is free', () => {
    const resources = ['u', 'v', 'w', 'x', 'y', 'z'];
    const people = fc
      .tuple(
        fc.array(fc.constantFrom('', 'a', 'b', 'c', 'd', 's'), { minLength: 6, maxLength: 6 }),
        fc.array(fc.subarray(resources, { maxLength: 3 }), { minLength: 4, maxLength: 4 }),
      )
      .map(([owners, wishes]) => ({
        sits: resources.filter((_, i) => owners[i] === 's'),
        movers: ['a', 'b', 'c', 'd'].map(
          (who, i): Mover<string, string> => ({
            who,
            has: resources.filter((_, j) => owners[j] === who),
            wants: wishes[i] ?? [],
          }),
        ),
      }));
    fc.assert(
      fc.property(people, ({ sits, movers }) => {
        const shelf = new Shelf();
        for (const resource of sits) shelf.add(resource, 's');
        for (const { who, has } of movers) for (const resource of has) shelf.add(resource, who);
        const stuck = resolveMoves(movers, shelf);
        const expected = new Map(sits.map(resource => [resource, 's']));
        for (const { who, has, wants } of movers) {
          for (const resource of stuck.has(who) ? has : wants) expected.set(resource, who);
        }
        expect(Object.fromEntries(shelf.holders)).toEqual(Object.fromEntries(expected));
        for (const [who, { resource, holder }] of stuck) {
          expect(shelf.holderOf(resource)).toBe(holder);
          expect(holder).not.toBe(who);
        }
      }),
      { numRuns: 400 },
    );
  });
});
