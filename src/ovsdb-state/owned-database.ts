import { randomUUID } from 'node:crypto';
import type { DatabaseSchema } from '../ovsdb-client/schema.ts';
import type { Row, RowDelta } from '../ovsdb-client/types.ts';
import { Applier } from './applier.ts';
import { ownedTables } from './columns.ts';
import { DeltaTracker, EVERYTHING } from './delta-tracker.ts';
import { marksOf } from './marks.ts';
import { MirrorIndex } from './mirror-index.ts';
import { NaturalNames } from './natural-names.ts';
import type { Ownership } from './ownership.ts';
import { Planner } from './planner.ts';
import type { Clock, Database, Log, Wish, WishDelta } from './ports.ts';
import { Problems, type RowProblem } from './problems.ts';
import type { RowId } from './row.ts';
import { systemClock } from './system-clock.ts';
import { type TrackedRow, TrackedRows } from './tracked-row.ts';
import { WishIndex } from './wish-index.ts';

export interface OwnedDatabaseOptions {
  readonly database: Database;
  readonly wish: Wish;
  readonly ownership: Ownership;
  readonly log: Log;
  readonly clock?: Clock;
  readonly newUuid?: () => string;
}

export interface DatabaseStatus {
  /** The database is as the wish has it, but for the problems. */
  readonly inSync: boolean;
  /** How many rows of ours the mirror shows, by table. */
  readonly owned: Readonly<Record<string, number>>;
  readonly problems: readonly RowProblem[];
}

/** A row of the mirror that carries our marks. */
export interface OwnedRow {
  readonly key: string;
  readonly unit: string;
  readonly row: Row;
  /** The rows of ours that hold it in a set column. */
  readonly parents: readonly RowId[];
}

/** Keeps the part of a database that is ours equal to a wish. */
export class OwnedDatabase {
  readonly #options: OwnedDatabaseOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stops: readonly (() => void)[];
  /** Rows that wait for a moment, with what cancels it. */
  readonly #postponed = new Map<TrackedRow, () => void>();
  #core: Core | undefined;
  #pruneAllowed = false;
  #closed = false;

  constructor(options: OwnedDatabaseOptions) {
    this.#options = options;
    this.#stops = [
      options.database.onDelta(deltas => this.#onDelta(deltas)),
      options.database.onState(() => this.#onState()),
    ];
  }

  /** Tells what changed in the wish. Before the first {@link resync} that is of no concern. */
  apply(delta: WishDelta): void {
    this.#core?.wish.apply(delta);
    this.#changed();
  }

  /**
   * Compares everything. The first call starts the writing: it needs a mirror that is whole, and a wish that is
   * complete or nothing that could be removed. Throws where the database is not ready for the first time.
   */
  resync(): void {
    if (this.#closed) return;
    const { schema } = this.#options.database;
    if (!schema) throw new Error('the database was never ready: its schema is not known');
    if (this.#core?.schema === schema) {
      for (const row of this.#core.rows.all()) this.#core.tracker.touch(row, EVERYTHING, 'retry');
    } else {
      this.#start(schema);
    }
    this.#changed();
  }

  /** Allows or forbids to remove rows and members of ours that nobody wants. Forbidden at first. */
  setPrune(allowed: boolean): void {
    this.#pruneAllowed = allowed;
    this.#core?.planner.setPrune(allowed);
    this.#changed();
  }

  /** Whether nothing is left to do now. */
  idle(): boolean {
    return this.#core?.applier.idle() ?? false;
  }

  /** How many rows wait to be written. */
  get waiting(): number {
    return this.#core?.tracker.size ?? 0;
  }

  /** Calls the listener when the status may have changed; the answer ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  status(): DatabaseStatus {
    const core = this.#core;
    if (!core) return { inSync: false, owned: {}, problems: [] };
    const isResting = [...this.#postponed.keys()].some(
      ({ dirt, problem }) => dirt && (problem === undefined || problem.kind === 'fight'),
    );
    const inSync = this.#options.database.state === 'ready' && core.applier.idle() && !isResting;
    return { inSync, owned: core.index.owned(), problems: core.problems.list() };
  }

  /** Whether the mirror shows no row of ours. */
  isEmpty(): boolean {
    const { database, ownership } = this.#options;
    for (const table of Object.keys(ownership.tables)) {
      for (const row of database.rows(table).values()) {
        if (marksOf(row).installation === ownership.installation) return false;
      }
    }
    return true;
  }

  /** The rows of a table that carry our marks; of several with one key just one. */
  *owned(table: string): IterableIterator<OwnedRow> {
    const { database, ownership } = this.#options;
    const { schema } = database;
    if (!schema) return;
    const core =
      this.#core ??
      new Core(this.#options, schema, { onDirty: () => {}, onChange: () => {}, postpone: () => {} });
    for (const tracked of core.rows.ofTable(table)) {
      const row = tracked.uuid === undefined ? undefined : database.rows(table).get(tracked.uuid);
      if (!row || !(table in ownership.tables)) continue;
      yield { key: tracked.key, unit: marksOf(row).unit ?? '', row, parents: core.parentsOf(row.uuid) };
    }
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const cancel of this.#postponed.values()) cancel();
    this.#postponed.clear();
    this.#core?.applier.close();
    this.#listeners.clear();
  }

  #start(schema: DatabaseSchema): void {
    this.#core?.applier.close();
    for (const cancel of this.#postponed.values()) cancel();
    this.#postponed.clear();
    const core = new Core(this.#options, schema, {
      onDirty: () => this.#core?.applier.wake(),
      onChange: () => this.#tell(),
      postpone: (row, at) => this.#postpone(row, at),
    });
    this.#core = core;
    core.wish.load();
    core.planner.setPrune(this.#pruneAllowed);
  }

  #onDelta(deltas: readonly RowDelta[]): void {
    const core = this.#core;
    if (!core) return;
    core.index.follow(deltas);
    core.applier.shown(deltas.map(({ row }) => row.uuid));
    this.#changed();
  }

  #onState(): void {
    const { database } = this.#options;
    // Another server can have another schema: then everything is read anew.
    if (this.#core && database.state === 'ready' && database.schema && database.schema !== this.#core.schema)
      this.resync();
    this.#changed();
  }

  #postpone(row: TrackedRow, at: number): void {
    this.#postponed.get(row)?.();
    const { clock = systemClock } = this.#options;
    const cancel = clock.after(Math.max(1, at - clock.now()), () => {
      this.#postponed.delete(row);
      this.#core?.tracker.enqueue(row);
    });
    this.#postponed.set(row, cancel);
  }

  #changed(): void {
    this.#core?.applier.wake();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

interface CoreEvents {
  readonly onDirty: () => void;
  readonly onChange: () => void;
  readonly postpone: (row: TrackedRow, at: number) => void;
}

/** All that follows from one schema: the two indexes, what is marked, planner and applier. */
class Core {
  readonly schema: DatabaseSchema;
  readonly rows = new TrackedRows();
  readonly problems = new Problems();
  readonly tracker: DeltaTracker;
  readonly index: MirrorIndex;
  readonly wish: WishIndex;
  readonly planner: Planner;
  readonly applier: Applier;

  constructor(options: OwnedDatabaseOptions, schema: DatabaseSchema, events: CoreEvents) {
    const { database, ownership, clock = systemClock, log } = options;
    const { rows, problems } = this;
    this.schema = schema;
    const tables = ownedTables(ownership, schema);
    const names = new NaturalNames();
    const tracker = new DeltaTracker(ownership, events.onDirty);
    const index = new MirrorIndex(ownership.installation, tables, rows, names, tracker);
    const mirror = (table: string) => database.rows(table);
    const view = { ownership, tables, rows, names, clock, log, mirror };
    const { postpone, onChange } = events;
    const newUuid = options.newUuid ?? randomUUID;
    this.planner = new Planner({ view, index, tracker, problems, newUuid, postpone });
    this.applier = new Applier({
      database,
      installation: ownership.installation,
      planner: this.planner,
      tracker,
      problems,
      clock,
      log,
      onChange,
    });
    this.tracker = tracker;
    this.index = index;
    this.wish = new WishIndex(options.wish, tables, rows, names, tracker);
    for (const table of tables.keys()) index.load(table, database.rows(table).values());
  }

  parentsOf(uuid: string): readonly RowId[] {
    const parents: RowId[] = [];
    for (const { uuid: holder } of this.index.holders(uuid)) {
      const row = this.rows.ofUuid(holder);
      if (row) parents.push({ table: row.table, key: row.key });
    }
    return parents;
  }
}
