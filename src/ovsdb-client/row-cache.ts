import type { Row, Value } from './types.ts';

/** A row as its owner, the cache, sees it. Rows are changed in place, so that a change costs no more than its size. */
export interface CachedRow {
  readonly uuid: string;
  columns: Record<string, Value>;
}

const NO_ROWS: ReadonlyMap<string, Row> = new Map();

/** The rows of the monitored tables, by table and UUID. */
export class RowCache {
  readonly #tables = new Map<string, Map<string, CachedRow>>();

  /** The rows of one table, live. */
  rows(table: string): ReadonlyMap<string, Row> {
    return this.#tables.get(table) ?? NO_ROWS;
  }

  /** The names of all tables that have been touched. */
  tables(): readonly string[] {
    return [...this.#tables.keys()];
  }

  get(table: string, uuid: string): CachedRow | undefined {
    return this.#tables.get(table)?.get(uuid);
  }

  /** Whoever asked for a table before its first row came must see the same map later, so tables are made early. */
  ensure(table: string): Map<string, CachedRow> {
    let rows = this.#tables.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.#tables.set(table, rows);
    }
    return rows;
  }
}
