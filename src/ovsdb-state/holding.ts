import type { OwnedTable } from './columns.ts';
import type { TrackedRow } from './tracked-row.ts';

type OwnedTables = ReadonlyMap<string, OwnedTable>;

/**
 * Whether a desired row can live: its table is a root, or the wish has a strong reference to it. The server drops any
 * other row as soon as it is inserted, without a word.
 */
export function canLive(tables: OwnedTables, row: TrackedRow): boolean {
  if (tables.get(row.table)?.isRoot) return true;
  return (
    row.links.some(({ row: parent, column }) => isStrong(tables, parent, column)) || isReferredTo(tables, row)
  );
}

/** Whether references in a column keep the rows alive that they refer to. */
export function isStrong(tables: OwnedTables, row: TrackedRow, column: string): boolean {
  const key = tables.get(row.table)?.columns.get(column)?.type.key;
  return key?.refTable !== undefined && key.refType !== 'weak';
}

function isReferredTo(tables: OwnedTables, row: TrackedRow): boolean {
  for (const referrer of row.referrers ?? []) {
    for (const column of Object.keys(referrer.desired?.columns ?? {})) {
      const refTable = tables.get(referrer.table)?.columns.get(column)?.type.key.refTable;
      if (refTable === row.table && isStrong(tables, referrer, column)) return true;
    }
  }
  return false;
}
