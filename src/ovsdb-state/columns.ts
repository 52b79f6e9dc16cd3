import type { ColumnType, DatabaseSchema } from '../ovsdb-client/schema.ts';
import {
  type ColumnOwnership,
  INSTALLATION_MARK,
  KEY_MARK,
  keys,
  MARKS_COLUMN,
  type Ownership,
  UNIT_MARK,
} from './ownership.ts';

/** A column that is ours in some way and that the schema has. */
export interface OwnedColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly ownership: ColumnOwnership;
  /** Whether it is a set of references: its elements are rows, which are members one by one. */
  readonly refs: boolean;
}

/** What we own of a table, as far as the schema has it. */
export interface OwnedTable {
  readonly name: string;
  readonly isRoot: boolean;
  readonly naturalKey: string | undefined;
  readonly assertsName: boolean;
  readonly columns: ReadonlyMap<string, OwnedColumn>;
  /** The set columns whose elements are rows. */
  readonly sets: readonly OwnedColumn[];
  /** The columns that have values of a row's own, and that we write. */
  readonly written: readonly OwnedColumn[];
}

const marks = [INSTALLATION_MARK, UNIT_MARK, KEY_MARK];

/** Joins what we claim with what the database has; tables and columns that it lacks are left out. */
export function ownedTables(ownership: Ownership, schema: DatabaseSchema): ReadonlyMap<string, OwnedTable> {
  const tables = new Map<string, OwnedTable>();
  for (const [name, { naturalKey, assertsName = false, columns }] of Object.entries(ownership.tables)) {
    const table = schema.tables.get(name);
    if (!table) continue;
    const owned = new Map<string, OwnedColumn>();
    for (const [column, claim] of Object.entries({
      ...columns,
      [MARKS_COLUMN]: withMarks(columns[MARKS_COLUMN]),
    })) {
      const type = table.columns.get(column)?.type;
      if (type) owned.set(column, { name: column, type, ownership: claim, refs: isRefSet(type) });
    }
    const ours = [...owned.values()].filter(({ ownership: { class: kind } }) => kind !== 'status');
    tables.set(name, {
      name,
      isRoot: table.isRoot,
      naturalKey,
      assertsName,
      columns: owned,
      sets: ours.filter(({ refs }) => refs),
      written: ours.filter(({ refs }) => !refs),
    });
  }
  return tables;
}

function withMarks(claim: ColumnOwnership | undefined): ColumnOwnership {
  return keys(...marks, ...(claim?.class === 'keys' ? claim.keys : []));
}

function isRefSet(type: ColumnType): boolean {
  return type.shape === 'set' && type.key.refTable !== undefined;
}
