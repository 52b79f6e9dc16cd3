import type {
  DesiredAtom,
  DesiredColumns,
  RowId,
  Wish,
  WishDelta,
  WishRow,
} from '../../src/ovsdb-state/index.ts';

export interface ModelRow {
  readonly columns: DesiredColumns;
  /** Members by column, by id. */
  readonly members?: Readonly<Record<string, Readonly<Record<string, DesiredAtom>>>>;
}

/** Rows by table, by key. */
export type ModelRows = Readonly<Record<string, Readonly<Record<string, ModelRow>>>>;

/** A wish that a test sets as a whole; what changed in between comes out as a delta. */
export class ModelWish implements Wish {
  #rows: ModelRows = {};

  set(rows: ModelRows): WishDelta {
    const old = this.#rows;
    this.#rows = rows;
    const ids = new Map([...idsOf(old), ...idsOf(rows)].map(id => [`${id.table} ${id.key}`, id]));
    const delta = { rows: [] as RowId[], members: [] as WishDelta['members'][number][] };
    for (const { table, key } of ids.values()) {
      const [before, after] = [old[table]?.[key], rows[table]?.[key]];
      if (JSON.stringify(before?.columns) !== JSON.stringify(after?.columns)) delta.rows.push({ table, key });
      for (const [column, id] of [...memberIds(before), ...memberIds(after)]) {
        const [was, is] = [before?.members?.[column]?.[id], after?.members?.[column]?.[id]];
        if (JSON.stringify(was) !== JSON.stringify(is)) delta.members.push({ table, key, column, id });
      }
    }
    return delta;
  }

  row(table: string, key: string): WishRow | undefined {
    const row = this.#rows[table]?.[key];
    if (!row) return undefined;
    return {
      columns: row.columns,
      unit: { name: 'unit', key },
      memberColumns: Object.keys(row.members ?? {}),
    };
  }

  member(table: string, key: string, column: string, id: string): DesiredAtom | undefined {
    return this.#rows[table]?.[key]?.members?.[column]?.[id];
  }

  members(table: string, key: string, column: string): Iterable<readonly [string, DesiredAtom]> {
    return Object.entries(this.#rows[table]?.[key]?.members?.[column] ?? {});
  }

  rowIds(): Iterable<RowId> {
    return idsOf(this.#rows);
  }
}

function* idsOf(rows: ModelRows): Iterable<RowId> {
  for (const [table, keys] of Object.entries(rows)) for (const key of Object.keys(keys)) yield { table, key };
}

function memberIds(row: ModelRow | undefined): readonly (readonly [column: string, id: string])[] {
  return Object.entries(row?.members ?? {}).flatMap(([column, ids]) =>
    Object.keys(ids).map(id => [column, id] as const),
  );
}
