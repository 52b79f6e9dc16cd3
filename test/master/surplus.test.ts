import { describe, expect, it } from '@jest/globals';
import { surplusOf, surplusProblem } from '../../src/master/surplus.ts';
import type { OwnedDatabase, WishRow } from '../../src/ovsdb-state/index.ts';

const wanted: WishRow = { columns: {}, unit: { name: 'u', key: '' }, memberColumns: [] };

/** Rows of ours, by table; the wish has those whose keys begin with `w`. */
function surplus(tables: Readonly<Record<string, readonly string[]>>) {
  const owned: Pick<OwnedDatabase, 'owned'> = {
    *owned(table) {
      for (const key of tables[table] ?? [])
        yield { key, unit: 'u', row: { uuid: key, columns: {} }, parents: [] };
    },
  };
  return surplusOf(owned, { row: (_, key) => (key.startsWith('w') ? wanted : undefined) });
}

const some = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

describe('what the first plan would delete', () => {
  it('is every row of ours, in every table, that nobody wants', () => {
    expect(
      surplus({ Logical_Switch: ['w1', 'x1'], Logical_Switch_Port: ['x2', 'w2', 'w3'], Elsewhere: ['x'] }),
    ).toEqual({ rows: 5, unwanted: 2, example: 'Logical_Switch "x1"' });
  });

  it('is too much where it is ten rows and more than the limit', () => {
    const of = (unwanted: number, kept: number, limit = 0.5) =>
      surplusProblem(surplus({ Logical_Switch_Port: [...some(unwanted, 'x'), ...some(kept, 'w')] }), limit);
    expect(of(9, 0)).toBeUndefined();
    expect(of(10, 10)).toBeUndefined();
    expect(of(11, 10)).toContain('11 of our 21 rows, such as Logical_Switch_Port "x0"');
    expect(of(11, 10)).toContain('--first-prune-limit 100');
    expect(of(500, 0, 1)).toBeUndefined();
    expect(of(10, 1000, 0)).toContain('10 of our 1010 rows');
  });
});
