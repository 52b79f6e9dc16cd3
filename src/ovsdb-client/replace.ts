import type { CachedRow, RowCache } from './row-cache.ts';
import type { ColumnDelta, RowDelta } from './types.ts';
import { diffValues } from './value-diff.ts';

/**
 * Makes the cache equal to a whole dump and says only what differs: after a reconnect nobody sees an empty database.
 * Rows that stay keep their identity. Columns that the server's schema has lost change to undefined.
 */
export function replaceRows(
  cache: RowCache,
  dump: ReadonlyMap<string, ReadonlyMap<string, CachedRow>>,
): readonly RowDelta[] {
  const deltas: RowDelta[] = [];
  for (const [table, next] of dump) {
    const rows = cache.ensure(table);
    for (const [uuid, row] of next) {
      const known = rows.get(uuid);
      if (known === undefined) {
        rows.set(uuid, row);
        deltas.push({ kind: 'insert', table, row });
        continue;
      }
      const changed = replaceColumns(known, row);
      if (changed !== undefined) deltas.push({ kind: 'modify', table, row: known, changed });
    }
  }
  for (const table of cache.tables()) deleteMissing(cache, table, dump.get(table), deltas);
  return deltas;
}

function replaceColumns(known: CachedRow, next: CachedRow): Record<string, ColumnDelta> | undefined {
  let changed: Record<string, ColumnDelta> | undefined;
  for (const column of new Set([...Object.keys(known.columns), ...Object.keys(next.columns)])) {
    const delta = diffValues(known.columns[column], next.columns[column]);
    if (delta === undefined) continue;
    changed ??= {};
    changed[column] = delta;
  }
  known.columns = next.columns;
  return changed;
}

function deleteMissing(
  cache: RowCache,
  table: string,
  next: ReadonlyMap<string, CachedRow> | undefined,
  deltas: RowDelta[],
): void {
  const rows = cache.ensure(table);
  for (const [uuid, row] of rows) {
    if (next?.has(uuid)) continue;
    rows.delete(uuid);
    deltas.push({ kind: 'delete', table, row });
  }
}
