import { ConnectionError, WrongDatabaseError } from './errors.ts';
import { applyUpdate, decodeDump } from './monitor.ts';
import { MonitoredTable, type MonitoredTables } from './monitored-table.ts';
import { replaceRows } from './replace.ts';
import { RowCache } from './row-cache.ts';
import type { AtomType, ColumnSchema } from './schema.ts';

/** Where a server tells about itself (ovsdb-server(5), _Server database). */
export const SERVER_DATABASE = '_Server';

const TABLE = 'Database';
const TABLES: MonitoredTables = new Map([
  [
    TABLE,
    new MonitoredTable([
      column('name', 'string'),
      column('model', 'string'),
      column('connected', 'boolean'),
      column('leader', 'boolean'),
    ]),
  ],
]);

function column(name: string, type: AtomType): ColumnSchema {
  const columnType = { key: { type }, value: undefined, min: 1, max: 1, shape: 'scalar' } as const;
  return { name, type: columnType, mutable: true, ephemeral: true };
}

/** Keeps a server's account of its databases and judges whether ours may be used there. */
export class ServerDatabase {
  /** What to ask monitor_cond for. */
  static readonly request = { [TABLE]: [{ columns: ['name', 'model', 'connected', 'leader'] }] };

  readonly #endpoint: string;
  readonly #database: string;
  readonly #leaderOnly: boolean;
  readonly #cache = new RowCache();

  constructor(endpoint: string, database: string, leaderOnly: boolean) {
    this.#endpoint = endpoint;
    this.#database = database;
    this.#leaderOnly = leaderOnly;
  }

  /** Takes the answer to the monitor request. */
  load(answer: unknown): void {
    replaceRows(this.#cache, decodeDump(TABLES, 'difference', answer));
  }

  /** Takes the <table-updates2> of an update2 notification. */
  update(updates: unknown): void {
    applyUpdate(this.#cache, TABLES, 'difference', updates);
  }

  /**
   * Why the database cannot be used on this server; undefined where it can. A clustered database needs contact to its
   * cluster and, where asked for, the leader; a standalone database or a relay has no leader.
   */
  objection(): Error | undefined {
    const rows = [...this.#cache.rows(TABLE).values()];
    const ours = rows.find(row => row.columns.name === this.#database);
    if (ours === undefined) {
      const names = rows.map(row => String(row.columns.name)).filter(name => name !== SERVER_DATABASE);
      return new WrongDatabaseError(this.#endpoint, this.#database, names.sort());
    }
    const { model, connected, leader } = ours.columns;
    if (connected !== true) {
      return new ConnectionError(
        `${this.#endpoint}: ${this.#database} has no contact to its ${String(model)} source`,
      );
    }
    if (this.#leaderOnly && model === 'clustered' && leader !== true) {
      return new ConnectionError(`${this.#endpoint}: is not the leader of ${this.#database}`);
    }
    return undefined;
  }
}
