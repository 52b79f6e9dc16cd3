import { randomUUID } from 'node:crypto';
import {
  type Atom,
  type DatabaseSchema,
  decodeValue,
  defaultValue,
  encodeAtom,
  type Operation,
  OperationError,
  type OperationResult,
  type TableSchema,
  type Value,
  ValueError,
} from '../../src/ovsdb-client/index.ts';
import { equalValue } from '../../src/ovsdb-state/value.ts';

export type Columns = Record<string, Value>;
export type Tables = Map<string, Map<string, Columns>>;

/** One transaction of the model database: RFC 7047, 5.2, on a copy of all rows. */
export class ModelTransaction {
  readonly tables: Tables;
  readonly #schema: DatabaseSchema;
  readonly #locks: ReadonlySet<string>;
  readonly #names = new Map<string, string>();
  readonly #deleted = new Set<string>();
  /** Rows that this very transaction inserted: deleted again, they were never there. */
  readonly #inserted = new Set<string>();

  constructor(schema: DatabaseSchema, tables: Tables, locks: ReadonlySet<string>) {
    this.#schema = schema;
    this.#locks = locks;
    this.tables = new Map();
    for (const [table, rows] of tables) {
      this.tables.set(table, new Map([...rows].map(([uuid, columns]) => [uuid, { ...columns }])));
    }
  }

  /** The results; throws OperationError with the index of the operation that fails, or without for the commit. */
  run(operations: readonly Operation[]): readonly OperationResult[] {
    for (const { op, 'uuid-name': name, uuid } of operations) {
      if (op === 'insert' && typeof name === 'string') this.#names.set(name, String(uuid ?? randomUUID()));
    }
    const results = operations.map((operation, index) => {
      try {
        return this.#execute(operation);
      } catch (error) {
        if (error instanceof ValueError)
          throw new OperationError('constraint violation', error.message, index);
        if (error instanceof OperationError) throw new OperationError(error.code, error.details, index);
        throw error;
      }
    });
    this.#collectGarbage();
    this.#checkReferences();
    this.#checkIndexes();
    return results;
  }

  #execute(operation: Operation): OperationResult {
    switch (operation.op) {
      case 'insert':
        return this.#insert(operation);
      case 'update': {
        const columns = this.#decodeRow(this.#table(operation.table), operation.row);
        return this.#each(operation, (_, row) => Object.assign(row, columns));
      }
      case 'mutate':
        return this.#each(operation, (table, row) => this.#mutate(table, row, operation.mutations));
      case 'delete':
        return this.#each(operation, (table, _, uuid) => {
          this.#rows(table.name).delete(uuid);
          if (!this.#inserted.delete(uuid)) this.#deleted.add(uuid);
        });
      case 'wait':
        return this.#wait(operation);
      case 'assert':
        if (!this.#locks.has(String(operation.lock))) throw new OperationError('not owner', undefined, 0);
        return {};
      case 'comment':
        return {};
      default:
        throw new OperationError('unknown operation', operation.op, 0);
    }
  }

  #insert({ table: name, row, uuid: chosen, 'uuid-name': local }: Operation): OperationResult {
    const table = this.#table(name);
    const uuid = typeof local === 'string' ? this.#names.get(local) : String(chosen ?? randomUUID());
    if (uuid === undefined) throw new OperationError('internal error', undefined, 0);
    const isKnown = [...this.tables.values()].some(rows => rows.has(uuid));
    if (isKnown || this.#deleted.has(uuid)) throw new OperationError('duplicate uuid', uuid, 0);
    this.#inserted.add(uuid);
    const columns: Columns = {};
    for (const column of table.columns.values()) columns[column.name] = defaultValue(column.type);
    this.#rows(table.name).set(uuid, Object.assign(columns, this.#decodeRow(table, row)));
    return { uuid };
  }

  #each(
    { table: name, where }: Operation,
    change: (table: TableSchema, row: Columns, uuid: string) => void,
  ): OperationResult {
    const table = this.#table(name);
    const found = [...this.#rows(table.name)].filter(([uuid, row]) => this.#matches(table, uuid, row, where));
    for (const [uuid, row] of found) change(table, row, uuid);
    return { count: found.length };
  }

  #matches(table: TableSchema, uuid: string, row: Columns, where: unknown): boolean {
    return (where as readonly (readonly [string, string, unknown])[]).every(([column, test, value]) => {
      if (column === '_uuid') return test === '==' && (value as readonly unknown[])[1] === uuid;
      const { type } = this.#schema.column(table.name, column);
      const [actual, wanted] = [row[column], decodeValue(type, this.#resolve(value))];
      if (test === '==') return equalValue(actual, wanted);
      if (!(actual instanceof Map) || !(wanted instanceof Map)) return false;
      const common = [...wanted].filter(([key, item]) => actual.get(key) === item).length;
      if (test === 'excludes') return common === 0;
      return test === 'includes' && common === wanted.size;
    });
  }

  #mutate(table: TableSchema, row: Columns, mutations: unknown): void {
    for (const [column, mutator, json] of mutations as readonly (readonly [string, string, unknown])[]) {
      const { type } = this.#schema.column(table.name, column);
      const value = this.#resolve(json);
      const old = row[column];
      if (old instanceof Set) {
        const atoms = decodeValue({ ...type, min: 0, max: Infinity }, value) as ReadonlySet<Atom>;
        const next = new Set<Atom>(old);
        for (const atom of atoms) mutator === 'insert' ? next.add(atom) : next.delete(atom);
        row[column] = next;
      } else if (old instanceof Map) {
        const next = new Map<Atom, Atom>(old);
        if (mutator === 'insert') {
          for (const [k, v] of decodeValue(type, value) as ReadonlyMap<Atom, Atom>)
            if (!next.has(k)) next.set(k, v);
        } else if (Array.isArray(value) && value[0] === 'map') {
          const pairs = decodeValue(type, value) as ReadonlyMap<Atom, Atom>;
          for (const [k, v] of pairs) if (next.get(k) === v) next.delete(k);
        } else {
          const keys = { key: type.key, value: undefined, min: 0, max: Infinity, shape: 'set' } as const;
          for (const key of decodeValue(keys, value) as ReadonlySet<Atom>) next.delete(key);
        }
        row[column] = next;
      } else {
        throw new OperationError('domain error', column, 0);
      }
    }
  }

  #wait(operation: Operation): OperationResult {
    const table = this.#table(operation.table);
    const found = [...this.#rows(table.name)].filter(([uuid, row]) =>
      this.#matches(table, uuid, row, operation.where),
    );
    const columns = operation.columns as readonly string[];
    const wanted = (operation.rows as readonly Record<string, unknown>[]).map(row =>
      this.#decodeRow(table, row),
    );
    const isEqual =
      found.length === wanted.length &&
      found.every(([, row]) =>
        wanted.some(other => columns.every(name => equalValue(row[name], other[name]))),
      );
    if (isEqual !== (operation.until === '==')) throw new OperationError('timed out', undefined, 0);
    return {};
  }

  /** Rows of tables that are no roots go when the last strong reference to them goes (RFC 7047, 3.2). */
  #collectGarbage(): void {
    for (;;) {
      const held = this.#references('strong');
      const lost: [string, string][] = [];
      for (const [table, rows] of this.tables) {
        if (this.#table(table).isRoot) continue;
        for (const uuid of rows.keys()) if (!held.has(uuid)) lost.push([table, uuid]);
      }
      if (lost.length === 0) return;
      for (const [table, uuid] of lost) this.#rows(table).delete(uuid);
    }
  }

  #references(kind: 'strong' | 'weak'): Map<string, string> {
    const found = new Map<string, string>();
    for (const [table, rows] of this.tables) {
      for (const { name, type } of this.#table(table).columns.values()) {
        if (type.key.refType !== kind) continue;
        for (const [uuid, row] of rows) {
          for (const target of atomsOf(row[name])) found.set(String(target), `${table} ${name} ${uuid}`);
        }
      }
    }
    return found;
  }

  #checkReferences(): void {
    const exists = new Set([...this.tables.values()].flatMap(rows => [...rows.keys()]));
    for (const [target, from] of this.#references('strong')) {
      if (exists.has(target)) continue;
      const [table, column, uuid] = from.split(' ');
      const details = `Table ${table} column ${column} row ${uuid} references nonexistent row ${target}.`;
      throw new OperationError('referential integrity violation', details, undefined);
    }
    for (const [table, rows] of this.tables) {
      for (const { name, type } of this.#table(table).columns.values()) {
        if (type.key.refType !== 'weak') continue;
        for (const row of rows.values()) row[name] = withOnly(row[name], exists);
      }
    }
  }

  #checkIndexes(): void {
    for (const [table, rows] of this.tables) {
      for (const index of this.#table(table).indexes) {
        const seen = new Map<string, string>();
        for (const [uuid, row] of rows) {
          const value = JSON.stringify(index.map(column => row[column]));
          const other = seen.get(value);
          if (other !== undefined) {
            const details = `Transaction causes multiple rows in "${table}" table to have identical values for index: ${other} and ${uuid}.`;
            throw new OperationError('constraint violation', details, undefined);
          }
          seen.set(value, uuid);
        }
      }
    }
  }

  #decodeRow(table: TableSchema, row: unknown): Columns {
    const columns: Columns = {};
    for (const [name, json] of Object.entries(row as Record<string, unknown>)) {
      const { type } = this.#schema.column(table.name, name);
      const value = decodeValue(type, this.#resolve(json));
      for (const atom of atomsOf(value)) encodeAtom(type.key, atom);
      columns[name] = value;
    }
    return columns;
  }

  /** Puts UUIDs in the place of names. */
  #resolve(json: unknown): unknown {
    if (!Array.isArray(json)) return json;
    if (json[0] === 'named-uuid') return ['uuid', this.#names.get(String(json[1]))];
    return json.map(item => this.#resolve(item));
  }

  #table(name: unknown): TableSchema {
    const table = this.#schema.tables.get(String(name));
    if (!table) throw new OperationError('syntax error', `no table ${name}`, 0);
    return table;
  }

  #rows(table: string): Map<string, Columns> {
    const rows = this.tables.get(table) ?? new Map<string, Columns>();
    this.tables.set(table, rows);
    return rows;
  }
}

function atomsOf(value: Value): readonly Atom[] {
  if (value instanceof Set) return [...value];
  return value === undefined || value instanceof Map ? [] : [value as Atom];
}

function withOnly(value: Value, exists: ReadonlySet<string>): Value {
  if (value instanceof Set) return new Set([...value].filter(atom => exists.has(String(atom))));
  return value === undefined || exists.has(String(value)) ? value : undefined;
}
