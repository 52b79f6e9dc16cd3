import type { ColumnSchema, DatabaseSchema } from './schema.ts';
import type { Value } from './types.ts';
import { defaultValue, EMPTY_MAP, EMPTY_SET } from './wire.ts';

/** The tables that are monitored, by name. */
export type MonitoredTables = ReadonlyMap<string, MonitoredTable>;

/** The monitored columns of one table, made ready for reading a hundred thousand rows. */
export class MonitoredTable {
  readonly columns: ReadonlyMap<string, ColumnSchema>;
  /** A row of defaults. Copies of it share one shape and the empty values, so rows are small and quickly made. */
  readonly #template: Readonly<Record<string, Value>>;
  /** Columns whose default is a set or map of their own. */
  readonly #ownDefaults: readonly ColumnSchema[];

  constructor(columns: readonly ColumnSchema[]) {
    this.columns = new Map(columns.map(column => [column.name, column]));
    this.#template = Object.fromEntries(columns.map(column => [column.name, defaultValue(column.type)]));
    this.#ownDefaults = columns.filter(({ name }) => {
      const value = this.#template[name];
      return typeof value === 'object' && value !== EMPTY_SET && value !== EMPTY_MAP;
    });
  }

  /** The columns of a row that was never written (RFC 7047, 5.2.1). */
  defaults(): Record<string, Value> {
    const row = { ...this.#template };
    for (const column of this.#ownDefaults) row[column.name] = defaultValue(column.type);
    return row;
  }
}

/** What of the wanted tables and columns this schema has. */
export function monitoredTables(
  wanted: Readonly<Record<string, readonly string[]>>,
  schema: DatabaseSchema,
): MonitoredTables {
  const tables = new Map<string, MonitoredTable>();
  for (const [table, columns] of Object.entries(wanted)) {
    if (!schema.hasTable(table)) continue;
    const present = [...new Set(columns)].filter(column => schema.hasColumn(table, column));
    tables.set(table, new MonitoredTable(present.map(column => schema.column(table, column))));
  }
  return tables;
}
