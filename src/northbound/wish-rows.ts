import type { Wish } from '../ovsdb-state/index.ts';
import { type DesiredAtom, type DesiredValue, isList, isRef } from '../ovsdb-state/row.ts';

/** A row of the wish with the members that other units put into its columns. */
export interface WishedRow {
  readonly key: string;
  readonly unit: { readonly name: string; readonly key: string };
  /** By name, in order. Elements of sets and keys of maps are in order, too. */
  readonly columns: readonly (readonly [name: string, value: DesiredValue])[];
}

/**
 * The whole wish in one order, whatever the order in which it came about: tables by name, rows by key. Members that
 * refer to a row that nobody declares are left out, as they are in the database.
 */
export function wishedRows(wish: Wish): readonly (readonly [table: string, rows: readonly WishedRow[]])[] {
  const tables = new Map<string, WishedRow[]>();
  for (const { table, key } of wish.rowIds()) {
    const row = wishedRow(wish, table, key);
    if (!row) continue;
    const rows = tables.get(table);
    if (rows) rows.push(row);
    else tables.set(table, [row]);
  }
  for (const rows of tables.values()) rows.sort((a, b) => byText(a.key, b.key));
  return [...tables].sort(([a], [b]) => byText(a, b));
}

function wishedRow(wish: Wish, table: string, key: string): WishedRow | undefined {
  const row = wish.row(table, key);
  if (!row) return undefined;
  const columns = new Map<string, DesiredValue>(Object.entries(row.columns));
  for (const name of row.memberColumns) {
    const own = columns.get(name) ?? [];
    const added = Array.from(wish.members(table, key, name), ([, value]) => value);
    const all = [...(isList(own) ? own : []), ...added];
    columns.set(name, [...new Map(all.map(atom => [printAtom(atom), atom])).values()]);
  }
  const isThere = (atom: DesiredAtom) => !isRef(atom) || wish.row(atom.table, atom.key) !== undefined;
  return {
    key,
    unit: row.unit,
    columns: [...columns]
      .map(([name, value]) => [name, isList(value) ? value.filter(isThere) : value] as const)
      .filter(([, value]) => typeof value !== 'object' || !isRef(value) || isThere(value))
      .map(([name, value]) => [name, inOrder(value)] as const)
      .sort(([a], [b]) => byText(a, b)),
  };
}

function inOrder(value: DesiredValue): DesiredValue {
  if (typeof value !== 'object' || isRef(value)) return value;
  if (isList(value)) return [...value].sort((a, b) => byText(printAtom(a), printAtom(b)));
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => byText(a, b)));
}

/** An atom for people: text in quotes, a reference as table and key. */
export function printAtom(atom: DesiredAtom): string {
  return typeof atom === 'object' ? `${atom.table} ${atom.key}` : JSON.stringify(atom);
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
