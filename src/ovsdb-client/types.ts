/** One atom of a column (RFC 7047, 5.1 <atom>). UUIDs are their 36-character text; the schema tells them from strings. */
export type Atom = string | number | boolean;

/**
 * A column's value, decoded by its schema type:
 * a scalar (min 1, max 1) is an atom; an optional scalar (min 0, max 1, not a map) is an atom or `undefined`;
 * any other set is a Set; a map is a Map.
 */
export type Value = Atom | undefined | ReadonlySet<Atom> | ReadonlyMap<Atom, Atom>;

/**
 * A row as the server last told it. Only monitored columns are present. `_uuid` is apart from the columns. A session's
 * rows are live: the same object, and the same Set or Map, is changed in place by later updates.
 */
export interface Row {
  readonly uuid: string;
  readonly columns: Readonly<Record<string, Value>>;
}

/** What changed in one column, so that a consumer's work follows the change and not the size of the set. */
export type ColumnDelta =
  | { readonly kind: 'scalar'; readonly old: Value; readonly new: Value }
  | { readonly kind: 'set'; readonly added: readonly Atom[]; readonly removed: readonly Atom[] }
  | {
      readonly kind: 'map';
      /** Keys added or given another value, with the new value. */
      readonly set: ReadonlyMap<Atom, Atom>;
      readonly removed: readonly Atom[];
    };

/**
 * One row's change. `row` is the row after the change (for `delete`: as it was before it).
 * For `insert` and `delete` there are no column deltas: the whole row is the change.
 */
export type RowDelta =
  | { readonly kind: 'insert'; readonly table: string; readonly row: Row }
  | { readonly kind: 'delete'; readonly table: string; readonly row: Row }
  | {
      readonly kind: 'modify';
      readonly table: string;
      readonly row: Row;
      readonly changed: Readonly<Record<string, ColumnDelta>>;
    };

/** A database operation in wire form (RFC 7047, 5.2). */
export type Operation = { readonly op: string } & Readonly<Record<string, unknown>>;

/** The result of one operation that did not fail. */
export interface OperationResult {
  readonly count?: number;
  readonly uuid?: string;
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
}
