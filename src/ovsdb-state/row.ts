/** A row is known by its table and its key; UUIDs never leave this room. */
export interface RowId {
  readonly table: string;
  readonly key: string;
}

/** A reference from a column to another row that we desire. */
export interface RowRef extends RowId {
  readonly ref: true;
}

/** Makes a reference to the row `key` of `table`. */
export function ref(table: string, key: string): RowRef {
  return { ref: true, table, key };
}

export type DesiredAtom = string | number | boolean | RowRef;

/** A desired column: an atom, a set (any order, no duplicates; an optional scalar is an atom or `[]`), or a map. */
export type DesiredValue = DesiredAtom | readonly DesiredAtom[] | Readonly<Record<string, DesiredAtom>>;

/** The columns that a row's own unit declares. Columns left out are empty (exclusive columns) or not ours. */
export type DesiredColumns = Readonly<Record<string, DesiredValue>>;

export function isRef(value: DesiredValue): value is RowRef {
  return typeof value === 'object' && !Array.isArray(value) && 'ref' in value && value.ref === true;
}

/** The atoms of a desired value, whatever its form; of a map, its values. */
export function atomsOf(value: DesiredValue): readonly DesiredAtom[] {
  if (typeof value !== 'object' || isRef(value)) return [value];
  return isList(value) ? value : Object.values(value);
}

export function isList(value: DesiredValue): value is readonly DesiredAtom[] {
  return Array.isArray(value);
}
