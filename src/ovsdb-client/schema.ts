import { SchemaError } from './errors.ts';
import type { Atom } from './types.ts';

export type AtomType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid';

/** The type of a column's keys or values (RFC 7047, 3.2 <base-type>). */
export interface BaseType {
  readonly type: AtomType;
  /** The only values that are allowed. */
  readonly enum?: ReadonlySet<Atom>;
  /** Least and greatest value of numbers, least and greatest length of strings; undefined: no bound. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly refTable?: string;
  readonly refType?: 'strong' | 'weak';
}

/** A column's type (RFC 7047, 3.2 <type>). `max` is Infinity for "unlimited". */
export interface ColumnType {
  readonly key: BaseType;
  readonly value: BaseType | undefined;
  readonly min: 0 | 1;
  readonly max: number;
  /** How a value looks: see `Value`. */
  readonly shape: 'scalar' | 'optional' | 'set' | 'map';
}

export interface ColumnSchema {
  readonly name: string;
  readonly type: ColumnType;
  readonly mutable: boolean;
  readonly ephemeral: boolean;
}

export interface TableSchema {
  readonly name: string;
  readonly columns: ReadonlyMap<string, ColumnSchema>;
  /** Rows stay without a reference to them. True for all tables where the schema marks none (RFC 7047, 3.2). */
  readonly isRoot: boolean;
  readonly maxRows: number;
  readonly indexes: readonly (readonly string[])[];
}

/** A database's schema and the questions about it: what a server can do is asked here, never of a version. */
export class DatabaseSchema {
  readonly name: string;
  readonly version: string;
  readonly tables: ReadonlyMap<string, TableSchema>;

  constructor(name: string, version: string, tables: ReadonlyMap<string, TableSchema>) {
    this.name = name;
    this.version = version;
    this.tables = tables;
  }

  hasTable(table: string): boolean {
    return this.tables.has(table);
  }

  hasColumn(table: string, column: string): boolean {
    return this.tables.get(table)?.columns.has(column) ?? false;
  }

  /** The column. Throws {@link SchemaError} where the schema has none such. */
  column(table: string, column: string): ColumnSchema {
    const found = this.tables.get(table)?.columns.get(column);
    if (found === undefined) {
      throw new SchemaError(`schema ${this.name} ${this.version} has no column ${table}.${column}`);
    }
    return found;
  }
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a schema: the content of an .ovsschema file or the answer to get_schema (RFC 7047, 3.2 <database-schema>).
 * Throws {@link SchemaError} that names the place.
 */
export function parseSchema(json: unknown): DatabaseSchema {
  const schema = object(json, 'schema');
  const name = text(schema.name, 'schema: name');
  const version = text(schema.version, 'schema: version');
  const tables = Object.entries(object(schema.tables, 'schema: tables'));
  const rootsMarked = tables.some(([, table]) => object(table, 'schema: tables').isRoot === true);
  return new DatabaseSchema(
    name,
    version,
    new Map(tables.map(([table, value]) => [table, parseTable(table, object(value, table), rootsMarked)])),
  );
}

function parseTable(name: string, table: Json, rootsMarked: boolean): TableSchema {
  const columns = new Map<string, ColumnSchema>();
  for (const [column, value] of Object.entries(object(table.columns, `${name}: columns`))) {
    columns.set(column, parseColumn(`${name}.${column}`, column, object(value, `${name}.${column}`)));
  }
  return {
    name,
    columns,
    isRoot: rootsMarked ? table.isRoot === true : true,
    maxRows: table.maxRows === undefined ? Infinity : number(table.maxRows, `${name}: maxRows`),
    indexes: parseIndexes(name, table.indexes ?? [], columns),
  };
}

function parseIndexes(table: string, json: unknown, columns: ReadonlyMap<string, unknown>): string[][] {
  return list(json, `${table}: indexes`).map(index =>
    list(index, `${table}: indexes`).map(column => {
      const name = text(column, `${table}: indexes`);
      if (!columns.has(name)) throw new SchemaError(`${table}: indexes: there is no column ${name}`);
      return name;
    }),
  );
}

function parseColumn(place: string, name: string, column: Json): ColumnSchema {
  return {
    name,
    type: parseType(place, column.type),
    mutable: column.mutable !== false,
    ephemeral: column.ephemeral === true,
  };
}

function parseType(place: string, json: unknown): ColumnType {
  if (typeof json === 'string') {
    return { key: parseBase(place, json), value: undefined, min: 1, max: 1, shape: 'scalar' };
  }
  const type = object(json, `${place}: type`);
  const key = parseBase(place, type.key);
  const value = type.value === undefined ? undefined : parseBase(place, type.value);
  const min = type.min ?? 1;
  if (min !== 0 && min !== 1) throw new SchemaError(`${place}: type: min must be 0 or 1`);
  const max = type.max === 'unlimited' ? Infinity : number(type.max ?? 1, `${place}: type: max`);
  if (max < 1) throw new SchemaError(`${place}: type: max must be at least 1 or "unlimited"`);
  return { key, value, min, max, shape: shapeOf(value !== undefined, min, max) };
}

function shapeOf(isMap: boolean, min: 0 | 1, max: number): ColumnType['shape'] {
  if (isMap) return 'map';
  if (max > 1) return 'set';
  return min === 1 ? 'scalar' : 'optional';
}

function parseBase(place: string, json: unknown): BaseType {
  if (typeof json === 'string') return { type: atomType(place, json) };
  const base = object(json, `${place}: type`);
  const type = atomType(place, base.type);
  const minimum = base.minInteger ?? base.minReal ?? base.minLength;
  const maximum = base.maxInteger ?? base.maxReal ?? base.maxLength;
  return {
    type,
    ...(base.enum === undefined ? {} : { enum: parseEnum(place, base.enum) }),
    ...(minimum === undefined ? {} : { minimum: number(minimum, `${place}: least value`) }),
    ...(maximum === undefined ? {} : { maximum: number(maximum, `${place}: greatest value`) }),
    ...(base.refTable === undefined ? {} : { refTable: text(base.refTable, `${place}: refTable`) }),
    ...(base.refTable === undefined ? {} : { refType: base.refType === 'weak' ? 'weak' : 'strong' }),
  };
}

function atomType(place: string, json: unknown): AtomType {
  switch (json) {
    case 'integer':
    case 'real':
    case 'boolean':
    case 'string':
    case 'uuid':
      return json;
    default:
      throw new SchemaError(`${place}: type: ${JSON.stringify(json)} is no type of RFC 7047`);
  }
}

function parseEnum(place: string, json: unknown): ReadonlySet<Atom> {
  const values = Array.isArray(json) && json[0] === 'set' ? list(json[1], `${place}: enum`) : [json];
  return new Set(
    values.map(value => {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
      throw new SchemaError(`${place}: enum: ${JSON.stringify(value)} is no atom`);
    }),
  );
}

function object(json: unknown, place: string): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new SchemaError(`${place}: must be an object`);
  }
  return json as Json;
}

function list(json: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(json)) throw new SchemaError(`${place}: must be a list`);
  return json;
}

function text(json: unknown, place: string): string {
  if (typeof json !== 'string') throw new SchemaError(`${place}: must be text`);
  return json;
}

function number(json: unknown, place: string): number {
  if (typeof json !== 'number') throw new SchemaError(`${place}: must be a number`);
  return json;
}
