import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  EMPTY_MAP,
  EMPTY_SET,
  InconsistentUpdateError,
  ProtocolError,
  parseSchema,
  type Row,
  type RowDelta,
} from '../../src/ovsdb-client/index.ts';
import { applyUpdate, decodeDump, type UpdateFormat } from '../../src/ovsdb-client/monitor.ts';
import { monitoredTables } from '../../src/ovsdb-client/monitored-table.ts';
import { replaceRows } from '../../src/ovsdb-client/replace.ts';
import { RowCache } from '../../src/ovsdb-client/row-cache.ts';
import { SHOP_SCHEMA, SHOP_TABLES, uuid } from '../support/scripted-ovsdb-server.ts';

const tables = monitoredTables(SHOP_TABLES, parseSchema(SHOP_SCHEMA));
const PEN = uuid(1);

/** A whole row of the shop, in the form of RFC 7047. */
function full(row: Readonly<Record<string, unknown>> = {}): unknown {
  return { name: '', price: ['set', []], tags: ['set', []], notes: ['map', []], ...row };
}

/** A cache with one pen. */
function cacheWithPen(): RowCache {
  const cache = new RowCache();
  const pen = {
    name: 'pen',
    price: 3,
    tags: ['set', ['a', 'b']],
    notes: [
      'map',
      [
        ['k', 'v'],
        ['l', 'w'],
      ],
    ],
  };
  replaceRows(cache, decodeDump(tables, 'difference', { Item: { [PEN]: { initial: pen } } }));
  return cache;
}

function apply(cache: RowCache, format: UpdateFormat, row: unknown, id = PEN): readonly RowDelta[] {
  return applyUpdate(cache, tables, format, { Item: { [id]: row } });
}

function columns(cache: RowCache, id = PEN): Row['columns'] | undefined {
  return cache.rows('Item').get(id)?.columns;
}

const penColumns = {
  name: 'pen',
  price: 3,
  tags: new Set(['a', 'b']),
  notes: new Map([
    ['k', 'v'],
    ['l', 'w'],
  ]),
};

describe('update2 and update3', () => {
  it.each(['insert', 'initial'])('%s fills in what is left out', kind => {
    const cache = new RowCache();
    const deltas = apply(cache, 'difference', { [kind]: { name: 'ink' } });
    const inserted = { name: 'ink', price: undefined, tags: EMPTY_SET, notes: EMPTY_MAP };
    expect(columns(cache)).toEqual(inserted);
    expect(columns(cache)?.tags).toBe(EMPTY_SET);
    expect(deltas).toEqual([{ kind: 'insert', table: 'Item', row: { uuid: PEN, columns: inserted } }]);
  });

  it('delete tells the row as it was', () => {
    const cache = cacheWithPen();
    expect(apply(cache, 'difference', { delete: null })).toEqual([
      { kind: 'delete', table: 'Item', row: { uuid: PEN, columns: penColumns } },
    ]);
    expect(cache.rows('Item').size).toBe(0);
  });

  it.each([
    ['a scalar', { name: 'ink' }, { name: 'ink' }, { name: { kind: 'scalar', old: 'pen', new: 'ink' } }],
    ['an optional scalar', { price: 4 }, { price: 4 }, { price: { kind: 'scalar', old: 3, new: 4 } }],
    [
      'an optional scalar to nothing',
      { price: ['set', []] },
      { price: undefined },
      { price: { kind: 'scalar', old: 3, new: undefined } },
    ],
    [
      'a set by one element',
      { tags: 'c' },
      { tags: new Set(['a', 'b', 'c']) },
      { tags: { kind: 'set', added: ['c'], removed: [] } },
    ],
    [
      'a set both ways',
      { tags: ['set', ['b', 'c']] },
      { tags: new Set(['a', 'c']) },
      { tags: { kind: 'set', added: ['c'], removed: ['b'] } },
    ],
    [
      'a set to nothing',
      { tags: ['set', ['a', 'b']] },
      { tags: new Set() },
      { tags: { kind: 'set', added: [], removed: ['a', 'b'] } },
    ],
    [
      'a map: a key comes, one goes, one changes',
      {
        notes: [
          'map',
          [
            ['m', 'x'],
            ['k', 'v'],
            ['l', 'z'],
          ],
        ],
      },
      {
        notes: new Map([
          ['l', 'z'],
          ['m', 'x'],
        ]),
      },
      {
        notes: {
          kind: 'map',
          set: new Map([
            ['m', 'x'],
            ['l', 'z'],
          ]),
          removed: ['k'],
        },
      },
    ],
    [
      'a map to nothing',
      {
        notes: [
          'map',
          [
            ['k', 'v'],
            ['l', 'w'],
          ],
        ],
      },
      { notes: new Map() },
      { notes: { kind: 'map', set: new Map(), removed: ['k', 'l'] } },
    ],
  ])('modify %s', (_, modification, after, changed) => {
    const cache = cacheWithPen();
    const deltas = apply(cache, 'difference', { modify: modification });
    expect(columns(cache)).toEqual({ ...penColumns, ...after });
    expect(deltas).toEqual([{ kind: 'modify', table: 'Item', row: cache.rows('Item').get(PEN), changed }]);
  });

  it('modifies in place: rows and sets keep their identity', () => {
    const cache = cacheWithPen();
    const row = cache.rows('Item').get(PEN);
    const tags = row?.columns.tags;
    apply(cache, 'difference', { modify: { tags: 'c', name: 'ink' } });
    expect(cache.rows('Item').get(PEN)).toBe(row);
    expect(row?.columns.tags).toBe(tags);
    expect(row?.columns.name).toBe('ink');
  });

  it('never touches the shared empty values', () => {
    const cache = new RowCache();
    apply(cache, 'difference', { insert: {} });
    apply(cache, 'difference', { modify: { tags: 'a', notes: ['map', [['k', 'v']]] } });
    expect(columns(cache)).toMatchObject({ tags: new Set(['a']), notes: new Map([['k', 'v']]) });
    apply(cache, 'difference', { modify: { tags: 'a', notes: ['map', [['k', 'v']]] } });
    expect(columns(cache)?.tags).toBe(EMPTY_SET);
    expect(columns(cache)?.notes).toBe(EMPTY_MAP);
  });

  it('a modification that changes nothing tells nothing', () => {
    expect(apply(cacheWithPen(), 'difference', { modify: { name: 'pen' } })).toEqual([]);
    expect(apply(cacheWithPen(), 'difference', { modify: {} })).toEqual([]);
  });
});

describe('update (RFC 7047)', () => {
  it('insert', () => {
    const cache = new RowCache();
    const deltas = apply(cache, 'full', { new: full({ name: 'ink' }) });
    expect(deltas).toMatchObject([{ kind: 'insert', row: { columns: { name: 'ink', tags: EMPTY_SET } } }]);
  });

  it('delete', () => {
    const cache = cacheWithPen();
    expect(apply(cache, 'full', { old: full({ name: 'pen' }) })).toMatchObject([{ kind: 'delete' }]);
    expect(cache.rows('Item').size).toBe(0);
  });

  it('modify tells only what differs', () => {
    const cache = cacheWithPen();
    const row = full({ name: 'pen', tags: ['set', ['b', 'c']], notes: ['map', [['k', 'v']]] });
    expect(apply(cache, 'full', { old: {}, new: row })).toMatchObject([
      {
        kind: 'modify',
        changed: {
          price: { kind: 'scalar', old: 3, new: undefined },
          tags: { kind: 'set', added: ['c'], removed: ['a'] },
          notes: { kind: 'map', set: new Map(), removed: ['l'] },
        },
      },
    ]);
    expect(columns(cache)).toEqual({
      name: 'pen',
      price: undefined,
      tags: new Set(['b', 'c']),
      notes: new Map([['k', 'v']]),
    });
  });
});

describe('an update that does not fit', () => {
  it.each<[string, UpdateFormat, string, unknown]>([
    ['insert of a known row', 'difference', PEN, { insert: {} }],
    ['modify of an unknown row', 'difference', uuid(9), { modify: { name: 'x' } }],
    ['delete of an unknown row', 'difference', uuid(9), { delete: null }],
    ['insert of a known row', 'full', PEN, { new: full() }],
    ['modify of an unknown row', 'full', uuid(9), { old: {}, new: full() }],
    ['delete of an unknown row', 'full', uuid(9), { old: full() }],
  ])('%s (%s)', (_, format, id, row) => {
    expect(() => apply(cacheWithPen(), format, row, id)).toThrow(InconsistentUpdateError);
  });

  it.each<[string, UpdateFormat, unknown]>([
    ['nothing at all', 'difference', {}],
    ['a column of a wrong type', 'difference', { modify: { name: 7 } }],
    ['a difference of a wrong type', 'difference', { modify: { tags: 7 } }],
    ['an unknown column', 'difference', { modify: { colour: 'red' } }],
    ['no object', 'difference', { modify: 'name' }],
    ['a row that is no object', 'difference', null],
    ['a missing column', 'full', { old: {}, new: {} }],
  ])('is nonsense: %s', (_, format, row) => {
    const cache = cacheWithPen();
    if (format === 'full') cache.ensure('Item').clear();
    const update = format === 'full' ? { new: {} } : row;
    expect(() => apply(cache, format, update)).toThrow(ProtocolError);
  });

  it('names table, row and column', () => {
    expect(() => apply(cacheWithPen(), 'difference', { modify: { name: 7 } })).toThrow(
      `Item ${PEN}: column name must be string, not 7`,
    );
    expect(() => applyUpdate(cacheWithPen(), tables, 'difference', { Shelf: {} })).toThrow(
      'an update of table Shelf, which is not monitored',
    );
  });

  it('changes nothing at all', () => {
    const cache = cacheWithPen();
    const update = {
      Item: { [PEN]: { modify: { tags: 'c' } }, [uuid(2)]: { insert: {} }, [uuid(3)]: { modify: {} } },
    };
    expect(() => applyUpdate(cache, tables, 'difference', update)).toThrow(InconsistentUpdateError);
    expect(columns(cache)).toEqual(penColumns);
    expect(cache.rows('Item').size).toBe(1);
  });
});

describe('replacement by a dump', () => {
  const dump = (rows: Readonly<Record<string, unknown>>) =>
    decodeDump(tables, 'full', {
      Item: Object.fromEntries(Object.entries(rows).map(([id, row]) => [id, { new: row }])),
    });
  const pen = {
    name: 'pen',
    price: 3,
    tags: ['set', ['a', 'b']],
    notes: [
      'map',
      [
        ['k', 'v'],
        ['l', 'w'],
      ],
    ],
  };

  it('of the same rows tells nothing, and rows keep their identity', () => {
    const cache = cacheWithPen();
    const row = cache.rows('Item').get(PEN);
    expect(replaceRows(cache, dump({ [PEN]: pen }))).toEqual([]);
    expect(cache.rows('Item').get(PEN)).toBe(row);
  });

  it('tells insertions, modifications and deletions', () => {
    const cache = cacheWithPen();
    replaceRows(cache, dump({ [PEN]: pen, [uuid(2)]: full({ name: 'old' }) }));
    const deltas = replaceRows(
      cache,
      dump({ [PEN]: { ...pen, tags: 'a' }, [uuid(3)]: full({ name: 'new' }) }),
    );
    expect(deltas).toMatchObject([
      { kind: 'modify', row: { uuid: PEN }, changed: { tags: { kind: 'set', added: [], removed: ['b'] } } },
      { kind: 'insert', row: { uuid: uuid(3) } },
      { kind: 'delete', row: { uuid: uuid(2), columns: { name: 'old' } } },
    ]);
    expect([...cache.rows('Item').keys()]).toEqual([PEN, uuid(3)]);
  });

  it('empties tables that the dump no longer has', () => {
    const cache = cacheWithPen();
    expect(replaceRows(cache, new Map())).toMatchObject([{ kind: 'delete', row: { uuid: PEN } }]);
  });

  it('is what a consumer gets who only follows the deltas', () => {
    const rows = fc.dictionary(
      fc.constantFrom(uuid(1), uuid(2), uuid(3)),
      fc.record({
        name: fc.constantFrom('a', 'b'),
        price: fc.constantFrom<unknown>(1, 2, ['set', []]),
        tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')).map(tags => ['set', tags]),
        notes: fc
          .dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('v', 'w'))
          .map(notes => ['map', Object.entries(notes)]),
      }),
    );
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 4 }), states => {
        const cache = new RowCache();
        const followed = new Map<string, Record<string, unknown>>();
        for (const state of states) {
          for (const delta of replaceRows(cache, dump(state))) follow(followed, delta);
          const expected = [...dump(state).values()].flatMap(table => [...table]);
          expect(followed).toEqual(new Map(expected.map(([id, row]) => [id, { ...row.columns }])));
        }
      }),
    );
  });
});

/** Applies a delta to copies of rows, by what the delta says alone. */
function follow(rows: Map<string, Record<string, unknown>>, delta: RowDelta): void {
  const { uuid: id } = delta.row;
  if (delta.kind === 'delete') {
    rows.delete(id);
  } else if (delta.kind === 'insert') {
    rows.set(id, structuredClone({ ...delta.row.columns }));
  } else {
    const row = rows.get(id);
    if (row === undefined) throw new Error(`modified, but unknown: ${id}`);
    for (const [name, change] of Object.entries(delta.changed)) {
      const old = row[name];
      if (change.kind === 'scalar') {
        row[name] = change.new;
      } else if (change.kind === 'set') {
        const kept = [...(old as Set<unknown>)].filter(atom => !change.removed.some(item => item === atom));
        row[name] = new Set([...kept, ...change.added]);
      } else {
        const kept = [...(old as Map<unknown, unknown>)].filter(
          ([key]) => !change.removed.some(item => item === key),
        );
        row[name] = new Map([...kept, ...change.set]);
      }
    }
  }
}
