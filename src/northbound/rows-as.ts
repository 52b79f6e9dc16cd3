import { type DatabaseSchema, defaultValue, insert, ValueError } from '../ovsdb-client/index.ts';
import type { Wish } from '../ovsdb-state/index.ts';
import { formatUnit } from '../ovsdb-state/marks.ts';
import { INSTALLATION_MARK, KEY_MARK, MARKS_COLUMN, UNIT_MARK } from '../ovsdb-state/ownership.ts';
import { type DesiredAtom, type DesiredValue, isList, isRef } from '../ovsdb-state/row.ts';
import { encodeDesired, equalsWire } from '../ovsdb-state/value.ts';
import { printAtom, type WishedRow, wishedRows } from './wish-rows.ts';

/** Rows as text in one canonical form: equal wishes give equal text, and a small change a small difference. */
export function rowsAsText(wish: Wish): string {
  const lines: string[] = [];
  for (const [table, rows] of wishedRows(wish)) {
    for (const { key, columns } of rows) {
      lines.push(`${table} ${key}`);
      for (const [name, value] of columns) lines.push(...columnLines(name, value));
      lines.push('');
    }
  }
  return lines.join('\n');
}

function columnLines(name: string, value: DesiredValue): readonly string[] {
  if (typeof value !== 'object' || isRef(value)) return [`  ${name}: ${printAtom(value)}`];
  const items = isList(value)
    ? value.map(printAtom)
    : Object.entries(value).map(([key, atom]) => `${key}=${printAtom(atom)}`);
  if (items.length < 2) return [`  ${name}: ${items[0] ?? '[]'}`];
  return [`  ${name}:`, ...items.map(item => `    ${item}`)];
}

/** A row as plain data; a reference is the other row's key. */
export type JsonRow = { readonly key: string } & Readonly<Record<string, unknown>>;

/** Rows as plain data, by table. */
export function rowsAsJson(wish: Wish): Readonly<Record<string, readonly JsonRow[]>> {
  return Object.fromEntries(
    wishedRows(wish).map(([table, rows]) => [
      table,
      rows.map(({ key, columns }) => ({
        key,
        ...Object.fromEntries(columns.map(([name, value]) => [name, plain(value)])),
      })),
    ]),
  );
}

function plain(value: DesiredValue): unknown {
  const atom = (item: DesiredAtom) => (typeof item === 'object' ? item.key : item);
  if (typeof value !== 'object' || isRef(value)) return atom(value);
  if (isList(value)) return value.map(atom);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, atom(item)]));
}

/**
 * The parameters of the `transact` that writes all rows, with our marks, into a database that has none of them yet.
 * The same wish gives the same bytes. Throws ValueError where a value does not fit the schema.
 */
export function rowsAsTransaction(
  wish: Wish,
  schema: DatabaseSchema,
  installation: string,
): readonly unknown[] {
  const tables = wishedRows(wish);
  const names = new Map<string, string>();
  for (const [table, rows] of tables) {
    for (const [index, { key }] of rows.entries()) names.set(`${table} ${key}`, `${table}_${index + 1}`);
  }
  const operations = tables.flatMap(([table, rows]) =>
    rows.map(row => {
      const name = names.get(`${table} ${row.key}`);
      const columns = wireColumns(table, row, schema, installation, names);
      return insert(table, columns, name === undefined ? {} : { name });
    }),
  );
  return [schema.name, ...operations];
}

function wireColumns(
  table: string,
  row: WishedRow,
  schema: DatabaseSchema,
  installation: string,
  names: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> {
  const marks = {
    [INSTALLATION_MARK]: installation,
    [KEY_MARK]: row.key,
    [UNIT_MARK]: formatUnit(row.unit),
  };
  const columns = new Map(row.columns);
  columns.set(MARKS_COLUMN, { ...(columns.get(MARKS_COLUMN) as object | undefined), ...marks });
  const wire: Record<string, unknown> = {};
  for (const [name, value] of columns) {
    const { type } = schema.column(table, name);
    try {
      const encoded = encodeDesired(value, type, ref => names.get(`${ref.table} ${ref.key}`) ?? '');
      if (!equalsWire(defaultValue(type), encoded)) wire[name] = encoded;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      throw new ValueError(`${table} ${row.key}: ${name}: ${error.message}`, { cause: error });
    }
  }
  return wire;
}
