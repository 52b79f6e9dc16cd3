import { northboundTables } from '../../src/northbound/index.ts';
import {
  type Endpoint,
  type Operation,
  type Row,
  type RowDelta,
  Session,
  type Value,
} from '../../src/ovsdb-client/index.ts';

type Plain = Readonly<Record<string, unknown>>;

/** Rows by table and key, as `translate --format json` prints them. */
export type Rows = Readonly<Record<string, Readonly<Record<string, Plain>>>>;

const KEY = 'kube-northbound/key';
const INSTALLATION = 'kube-northbound/installation';

/** Columns that others write, or that say nothing of the wish. */
const ignored = new Set(['up', 'tag', 'dynamic_addresses', 'ipv6_prefix', 'status']);

/** A second client of a database, to look at it and to be somebody else. */
export class Onlooker {
  readonly #session: Session;

  constructor(...remotes: readonly Endpoint[]) {
    this.#session = new Session({
      remotes,
      database: 'OVN_Northbound',
      tables: northboundTables,
    });
    this.#session.start();
  }

  ready(): Promise<void> {
    return this.#session.ready(10_000);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Calls the listener with what comes, goes and changes. */
  onDelta(listener: (deltas: readonly RowDelta[]) => void): void {
    this.#session.onDelta(listener);
  }

  transact(...operations: readonly Operation[]): ReturnType<Session['transact']> {
    return this.#session.transact(operations);
  }

  /** The row of that name, whoever made it. */
  named(table: string, name: string): Row | undefined {
    return [...this.#session.rows(table).values()].find(row => row.columns.name === name);
  }

  /** How many rows of an installation carry each key: a key twice would be a duplicate row. */
  keyCounts(installation = 'default'): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [table, row, key] of this.#ours(installation)) {
      if (row.uuid !== '') counts.set(`${table} ${key}`, (counts.get(`${table} ${key}`) ?? 0) + 1);
    }
    return counts;
  }

  /** The rows of an installation, without empty columns, marks and what others write; references as keys. */
  rows(installation = 'default'): Rows {
    const keys = new Map<string, string>();
    for (const [, row, key] of this.#ours(installation)) keys.set(row.uuid, key);
    const rows: Record<string, Record<string, Plain>> = {};
    for (const [table, row, key] of this.#ours(installation)) {
      const columns = Object.entries(row.columns).filter(([name]) => !ignored.has(name));
      const plain = columns.map(([name, value]) => [name, plainValue(value, keys)] as const);
      rows[table] ??= {};
      rows[table][key] = Object.fromEntries(plain.filter(([, value]) => !isEmpty(value)));
    }
    return rows;
  }

  *#ours(installation: string): IterableIterator<readonly [table: string, row: Row, key: string]> {
    for (const table of Object.keys(northboundTables)) {
      for (const row of this.#session.rows(table).values()) {
        const marks = row.columns.external_ids as ReadonlyMap<string, string>;
        const key = marks.get(KEY);
        if (marks.get(INSTALLATION) === installation && key !== undefined) yield [table, row, key];
      }
    }
  }
}

/** What `translate --format json` printed, in the shape of {@link Onlooker.rows}. */
export function rowsOf(translated: string): Rows {
  const { rows } = JSON.parse(translated) as { rows: Record<string, ({ key: string } & Plain)[]> };
  return Object.fromEntries(
    Object.entries(rows).map(([table, list]) => [
      table,
      Object.fromEntries(
        list.map(({ key, ...columns }) => [
          key,
          Object.fromEntries(
            Object.entries(columns)
              .map(([name, value]) => [name, Array.isArray(value) ? [...value].sort() : value])
              .filter(([, value]) => !isEmpty(value)),
          ),
        ]),
      ),
    ]),
  );
}

function plainValue(value: Value, keys: ReadonlyMap<string, string>): unknown {
  const atom = (item: unknown) => keys.get(String(item)) ?? item;
  if (value instanceof Set) return [...value].map(atom).sort();
  if (!(value instanceof Map)) return value === undefined ? [] : atom(value);
  const entries = [...value].filter(([key]) => !String(key).startsWith('kube-northbound/'));
  return Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
