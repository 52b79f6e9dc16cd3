import { InconsistentUpdateError, ProtocolError, ValueError } from './errors.ts';
import type { MonitoredTable, MonitoredTables } from './monitored-table.ts';
import type { CachedRow, RowCache } from './row-cache.ts';
import type { ColumnSchema } from './schema.ts';
import type { Atom, ColumnDelta, RowDelta, Value } from './types.ts';
import { diffValues } from './value-diff.ts';
import { decodeAtoms, decodePairs, decodeValue, EMPTY_MAP, EMPTY_SET } from './wire.ts';

/**
 * `full`: <table-updates> of RFC 7047 (4.1.6), whose rows are whole. `difference`: <table-updates2> of ovsdb-server(7)
 * (4.1.14 and 4.1.16), whose rows leave defaults out and whose modifications are differences. update3 is `difference`
 * with a transaction id beside it.
 */
export type UpdateFormat = 'full' | 'difference';

type Json = Readonly<Record<string, unknown>>;

interface Column {
  readonly schema: ColumnSchema;
  /** A new value, or, where `isDifference`, the elements that only one of the old and the new value has. */
  readonly value: Value | readonly Atom[];
  readonly isDifference: boolean;
}

/** One row's change, decoded, and known to fit the cache. */
type Change =
  | { readonly kind: 'insert' | 'delete'; readonly table: string; readonly row: CachedRow }
  | {
      readonly kind: 'modify';
      readonly table: string;
      readonly row: CachedRow;
      readonly columns: readonly Column[];
    };

/**
 * Applies an update to the cache and says what it changed. All or nothing: an update that does not fit the cache
 * (throws {@link InconsistentUpdateError}) or makes no sense (throws {@link ProtocolError}) changes nothing.
 */
export function applyUpdate(
  cache: RowCache,
  tables: MonitoredTables,
  format: UpdateFormat,
  update: unknown,
): readonly RowDelta[] {
  const changes: Change[] = [];
  eachRow(tables, update, (table, monitored, uuid, json) => {
    changes.push(decodeChange(cache, format, table, monitored, uuid, json));
  });
  return commit(cache, changes);
}

/** Reads a whole dump, the first answer to a monitor request: every row as an insert, by table and UUID. */
export function decodeDump(
  tables: MonitoredTables,
  format: UpdateFormat,
  dump: unknown,
): ReadonlyMap<string, ReadonlyMap<string, CachedRow>> {
  const decoded = new Map<string, Map<string, CachedRow>>();
  for (const table of tables.keys()) decoded.set(table, new Map());
  eachRow(tables, dump, (table, monitored, uuid, json) => {
    const row = format === 'full' ? json.new : (json.initial ?? json.insert);
    decoded.get(table)?.set(uuid, decodeRow(table, monitored, uuid, format, row));
  });
  return decoded;
}

function eachRow(
  tables: MonitoredTables,
  update: unknown,
  visit: (table: string, monitored: MonitoredTable, uuid: string, json: Json) => void,
): void {
  for (const [table, rows] of Object.entries(object(update, 'an update'))) {
    const monitored = tables.get(table);
    if (monitored === undefined)
      throw new ProtocolError(`an update of table ${table}, which is not monitored`);
    for (const [uuid, json] of Object.entries(object(rows, table))) {
      visit(table, monitored, uuid, object(json, table));
    }
  }
}

function decodeChange(
  cache: RowCache,
  format: UpdateFormat,
  table: string,
  monitored: MonitoredTable,
  uuid: string,
  json: Json,
): Change {
  const known = cache.get(table, uuid);
  const isFull = format === 'full';
  const inserted = isFull ? (json.old === undefined ? json.new : undefined) : (json.insert ?? json.initial);
  if (inserted !== undefined) {
    if (known !== undefined) throw new InconsistentUpdateError(`${table} ${uuid}: inserted twice`);
    return { kind: 'insert', table, row: decodeRow(table, monitored, uuid, format, inserted) };
  }
  const modified = isFull ? json.new : json.modify;
  const isDelete = isFull ? modified === undefined && 'old' in json : 'delete' in json;
  if (modified === undefined && !isDelete) {
    throw new ProtocolError(`${table} ${uuid}: neither inserted nor modified nor deleted`);
  }
  if (known === undefined) {
    throw new InconsistentUpdateError(`${table} ${uuid}: ${isDelete ? 'deleted' : 'modified'}, but unknown`);
  }
  if (isDelete) return { kind: 'delete', table, row: known };
  const row = object(modified, table);
  return {
    kind: 'modify',
    table,
    row: known,
    columns: decodeModification(table, monitored, uuid, !isFull, row),
  };
}

function decodeRow(
  table: string,
  monitored: MonitoredTable,
  uuid: string,
  format: UpdateFormat,
  json: unknown,
): CachedRow {
  const row = object(json, table);
  const columns = monitored.defaults();
  const names = Object.keys(row);
  for (const name of names) {
    columns[name] = decodeColumn(table, uuid, columnOf(table, monitored, uuid, name), row[name]);
  }
  // Every name is a monitored column, so that fewer names are fewer columns.
  if (format === 'full' && names.length < monitored.columns.size) {
    throw new ProtocolError(`${table} ${uuid}: a column is missing`);
  }
  return { uuid, columns };
}

function decodeModification(
  table: string,
  monitored: MonitoredTable,
  uuid: string,
  differences: boolean,
  row: Json,
): readonly Column[] {
  return Object.keys(row).map(name => {
    const schema = columnOf(table, monitored, uuid, name);
    const isDifference = differences && schema.type.max > 1;
    const value = isDifference
      ? decodeDifference(table, uuid, schema, row[name])
      : decodeColumn(table, uuid, schema, row[name]);
    return { schema, value, isDifference };
  });
}

function columnOf(table: string, monitored: MonitoredTable, uuid: string, name: string): ColumnSchema {
  const column = monitored.columns.get(name);
  if (column === undefined) throw new ProtocolError(`${table} ${uuid}: column ${name} is not monitored`);
  return column;
}

function decodeColumn(table: string, uuid: string, column: ColumnSchema, json: unknown): Value {
  try {
    return decodeValue(column.type, json);
  } catch (error) {
    throw misfit(table, uuid, column, error);
  }
}

function decodeDifference(
  table: string,
  uuid: string,
  column: ColumnSchema,
  json: unknown,
): Value | readonly Atom[] {
  try {
    return column.type.shape === 'map' ? decodePairs(column.type, json) : decodeAtoms(column.type, json);
  } catch (error) {
    throw misfit(table, uuid, column, error);
  }
}

function misfit(table: string, uuid: string, column: ColumnSchema, error: unknown): unknown {
  if (!(error instanceof ValueError)) return error;
  return new ProtocolError(`${table} ${uuid}: column ${column.name} ${error.message}`, { cause: error });
}

function commit(cache: RowCache, changes: readonly Change[]): readonly RowDelta[] {
  const deltas: RowDelta[] = [];
  for (const change of changes) {
    const { table, row } = change;
    const rows = cache.ensure(table);
    if (change.kind === 'modify') {
      const changed = modify(row, change.columns);
      if (changed !== undefined) deltas.push({ kind: 'modify', table, row, changed });
      continue;
    }
    if (change.kind === 'insert') rows.set(row.uuid, row);
    else rows.delete(row.uuid);
    deltas.push({ kind: change.kind, table, row });
  }
  return deltas;
}

function modify(row: CachedRow, columns: readonly Column[]): Record<string, ColumnDelta> | undefined {
  let changed: Record<string, ColumnDelta> | undefined;
  for (const { schema, value, isDifference } of columns) {
    const old = row.columns[schema.name];
    const delta = isDifference
      ? applyDifference(row, schema, value as ReadonlyMap<Atom, Atom> | readonly Atom[])
      : diffValues(old, value as Value);
    if (delta === undefined) continue;
    if (!isDifference) row.columns[schema.name] = value as Value;
    changed ??= {};
    changed[schema.name] = delta;
  }
  return changed;
}

function applyDifference(
  row: CachedRow,
  column: ColumnSchema,
  difference: ReadonlyMap<Atom, Atom> | readonly Atom[],
): ColumnDelta | undefined {
  const old = row.columns[column.name];
  if (Array.isArray(difference)) {
    const set = old === EMPTY_SET || old === undefined ? new Set<Atom>() : (old as Set<Atom>);
    const delta = toggleAtoms(set, difference);
    row.columns[column.name] = set.size === 0 ? EMPTY_SET : set;
    return delta;
  }
  const map = old === EMPTY_MAP || old === undefined ? new Map<Atom, Atom>() : (old as Map<Atom, Atom>);
  const delta = togglePairs(map, difference as ReadonlyMap<Atom, Atom>);
  row.columns[column.name] = map.size === 0 ? EMPTY_MAP : map;
  return delta;
}

/** The elements of the difference that the set has go, the others come (ovsdb-server(7), 4.1.14). */
function toggleAtoms(set: Set<Atom>, difference: readonly Atom[]): ColumnDelta | undefined {
  const added: Atom[] = [];
  const removed: Atom[] = [];
  for (const atom of difference) {
    if (set.delete(atom)) {
      removed.push(atom);
    } else {
      set.add(atom);
      added.push(atom);
    }
  }
  return difference.length === 0 ? undefined : { kind: 'set', added, removed };
}

/** A pair that the map has goes; a key with another value gets it; a new key comes (ovsdb-server(7), 4.1.14). */
function togglePairs(map: Map<Atom, Atom>, difference: ReadonlyMap<Atom, Atom>): ColumnDelta | undefined {
  const set = new Map<Atom, Atom>();
  const removed: Atom[] = [];
  for (const [key, value] of difference) {
    if (map.get(key) === value) {
      map.delete(key);
      removed.push(key);
    } else {
      map.set(key, value);
      set.set(key, value);
    }
  }
  return difference.size === 0 ? undefined : { kind: 'map', set, removed };
}

function object(json: unknown, place: string): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ProtocolError(`${place}: an update must be an object`);
  }
  return json as Json;
}
