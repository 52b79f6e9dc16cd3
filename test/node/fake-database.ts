import { randomUUID } from 'node:crypto';
import type { Database } from '../../src/node/database.ts';
import type { Atom, Operation, OperationResult, Row, RowDelta, Value } from '../../src/ovsdb-client/types.ts';

type Columns = Record<string, Value>;

/** Set and map columns of the tables that the tests use; every other column is a scalar. */
const SETS = new Set(['ports', 'interfaces', 'bridges', 'mac_set']);
const MAPS = new Set(['external_ids', 'other_config', 'options']);

/** A database in memory that carries transactions out as far as the agent's need it, and tells its listeners. */
export class FakeDatabase implements Database {
  connected = true;
  readonly transactions: (readonly Operation[])[] = [];
  readonly #tables = new Map<string, Map<string, Row & { columns: Columns }>>();
  readonly #listeners = new Set<(changes: readonly RowDelta[]) => void>();

  rows(table: string): Iterable<Row> {
    return this.#table(table).values();
  }

  onChange(listener: (changes: readonly RowDelta[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    if (!this.connected) throw new Error('not connected');
    // Nothing has changed yet when the caller goes on, as with a real server.
    await Promise.resolve();
    this.transactions.push(operations);
    const names = new Map(
      operations.flatMap(({ 'uuid-name': name }) => (name ? [[name, randomUUID()]] : [])) as [
        string,
        string,
      ][],
    );
    const results = operations.map(operation => this.#apply(operation, names));
    this.#collectGarbage();
    return results;
  }

  insert(table: string, columns: Columns): string {
    const row = { uuid: randomUUID(), columns };
    this.#table(table).set(row.uuid, row);
    this.#tell({ kind: 'insert', table, row });
    return row.uuid;
  }

  change(table: string, uuid: string, columns: Columns): void {
    const row = this.#table(table).get(uuid);
    if (!row) throw new Error(`no row ${uuid}`);
    Object.assign(row.columns, columns);
    this.#tell({ kind: 'modify', table, row, changed: {} });
  }

  delete(table: string, uuid: string): void {
    const row = this.#table(table).get(uuid);
    if (!row) throw new Error(`no row ${uuid}`);
    this.#table(table).delete(uuid);
    this.#tell({ kind: 'delete', table, row });
  }

  setConnected(connected: boolean): void {
    this.connected = connected;
    this.#tell();
  }

  #tell(...changes: readonly RowDelta[]): void {
    for (const listener of [...this.#listeners]) listener(changes);
  }

  #table(name: string): Map<string, Row & { columns: Columns }> {
    const table = this.#tables.get(name) ?? new Map();
    this.#tables.set(name, table);
    return table;
  }

  #apply(operation: Operation, names: ReadonlyMap<string, string>): OperationResult {
    const table = String(operation.table);
    const decode = (column: string, wire: unknown) => decodeValue(column, wire, names);
    if (operation.op === 'insert') {
      const columns: Columns = {};
      for (const [name, wire] of Object.entries(operation.row as object)) columns[name] = decode(name, wire);
      const row = { uuid: names.get(String(operation['uuid-name'])) ?? randomUUID(), columns };
      this.#table(table).set(row.uuid, row);
      this.#tell({ kind: 'insert', table, row });
      return { uuid: row.uuid };
    }
    const [[, , [, uuid]]] = operation.where as [[string, string, [string, string]]];
    const row = this.#table(table).get(uuid);
    if (!row) return { count: 0 };
    if (operation.op === 'update') {
      for (const [name, wire] of Object.entries(operation.row as object))
        row.columns[name] = decode(name, wire);
    } else {
      for (const mutation of operation.mutations as [string, string, unknown][])
        mutate(row.columns, mutation, names);
    }
    this.#tell({ kind: 'modify', table, row, changed: {} });
    return { count: 1 };
  }

  /** Port and Interface are no root tables: what nobody refers to vanishes. */
  #collectGarbage(): void {
    for (const [table, parent, column] of [
      ['Port', 'Bridge', 'ports'],
      ['Interface', 'Port', 'interfaces'],
    ] as const) {
      const used = new Set([...this.rows(parent)].flatMap(row => [...(row.columns[column] as Set<Atom>)]));
      for (const { uuid } of [...this.rows(table)]) if (!used.has(uuid)) this.delete(table, uuid);
    }
  }
}

function mutate(
  columns: Columns,
  [column, mutator, wire]: [string, string, unknown],
  names: ReadonlyMap<string, string>,
): void {
  if (MAPS.has(column)) {
    const map = new Map(columns[column] as Map<Atom, Atom> | undefined);
    const [, entries] = wire as [string, unknown[]];
    if (mutator === 'delete') for (const key of entries) map.delete(key as Atom);
    else for (const [key, value] of entries as [Atom, Atom][]) if (!map.has(key)) map.set(key, value);
    columns[column] = map;
    return;
  }
  const set = new Set(columns[column] as Set<Atom> | undefined);
  for (const atom of decodeValue(column, wire, names) as Set<Atom>) {
    if (mutator === 'insert') set.add(atom);
    else set.delete(atom);
  }
  columns[column] = set;
}

function decodeValue(column: string, wire: unknown, names: ReadonlyMap<string, string>): Value {
  if (MAPS.has(column)) return new Map((wire as [string, [Atom, Atom][]])[1]);
  if (!SETS.has(column)) return wire as Atom;
  const list = Array.isArray(wire) && wire[0] === 'set' ? (wire[1] as unknown[]) : [wire];
  return new Set(list.map(atom => decodeAtom(atom, names)));
}

function decodeAtom(wire: unknown, names: ReadonlyMap<string, string>): Atom {
  if (!Array.isArray(wire)) return wire as Atom;
  return wire[0] === 'named-uuid' ? (names.get(wire[1]) ?? '') : wire[1];
}
