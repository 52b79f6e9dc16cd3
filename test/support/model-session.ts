import {
  type DatabaseStatus,
  OwnedDatabase,
  type OwnedDatabaseOptions,
} from '../../src/ovsdb-state/index.ts';
import { FakeClock } from './fake-clock.ts';
import { ModelDatabase } from './model-database.ts';
import { modelOwnership, modelSchema } from './model-schema.ts';
import { type ModelRows, ModelWish } from './model-wish.ts';

/** An OwnedDatabase on a model database, with its wish and its clock in a test's hand. */
export class ModelSession {
  readonly clock = new FakeClock();
  readonly wish = new ModelWish();
  readonly database: ModelDatabase;
  readonly options: OwnedDatabaseOptions;
  owned: OwnedDatabase;

  constructor(options: Partial<OwnedDatabaseOptions> = {}, database = new ModelDatabase(modelSchema)) {
    this.database = database;
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    this.options = {
      database,
      wish: this.wish,
      ownership: modelOwnership,
      log,
      clock: this.clock,
      ...options,
    };
    this.owned = new OwnedDatabase(this.options);
  }

  /** Starts with a wish, pruning allowed, and lets everything happen. */
  async start(rows: ModelRows): Promise<void> {
    this.wish.set(rows);
    this.owned.setPrune(true);
    this.owned.resync();
    await this.settle();
  }

  /** Changes the wish and lets everything happen. */
  async want(rows: ModelRows): Promise<void> {
    this.owned.apply(this.wish.set(rows));
    await this.settle();
  }

  /** Another start of the program on the same database. */
  async restart(): Promise<void> {
    this.owned.close();
    this.owned = new OwnedDatabase(this.options);
    this.owned.setPrune(true);
    this.owned.resync();
    await this.settle();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let idle = 0, turns = 0; idle < 3; turns++) {
      if (turns > 5_000)
        throw new Error(`it never comes to rest: ${JSON.stringify(this.database.sent.at(-1))}`);
      this.clock.advance(0);
      const delivered = this.database.deliver();
      await Promise.resolve();
      await Promise.resolve();
      idle = delivered || this.clock.next() === this.clock.now() ? 0 : idle + 1;
    }
  }

  /** Lets time go on until nothing waits for it any more, but no further than so many milliseconds. */
  async wait(milliseconds: number): Promise<void> {
    const end = this.clock.now() + milliseconds;
    await this.settle();
    let turns = 0;
    for (let next = this.clock.next(); next !== undefined && next <= end; next = this.clock.next()) {
      if (turns++ > 500) throw new Error(`it goes on and on: ${JSON.stringify(this.database.sent.at(-1))}`);
      this.clock.advance(next - this.clock.now());
      await this.settle();
    }
    this.clock.advance(end - this.clock.now());
    await this.settle();
  }

  status(): DatabaseStatus {
    return this.owned.status();
  }

  /** The database's rows of a table by name: columns without marks, with references as names. */
  names(table: string): readonly string[] {
    return [...(this.database.tables.get(table)?.values() ?? [])].map(({ name }) => String(name)).sort();
  }

  /** The UUID of the row of that name. */
  uuid(table: string, name: string): string {
    for (const [uuid, row] of this.database.tables.get(table) ?? []) if (row.name === name) return uuid;
    throw new Error(`no ${table} ${name}`);
  }

  /** The names of the rows in a set column. */
  in(table: string, name: string, column: string, of: string): readonly string[] {
    const set = this.database.tables.get(table)?.get(this.uuid(table, name))?.[column];
    const rows = this.database.tables.get(of);
    if (!(set instanceof Set)) throw new Error(`${table}.${column} is no set`);
    return [...set].map(uuid => String(rows?.get(String(uuid))?.name)).sort();
  }
}
