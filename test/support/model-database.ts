import {
  type DatabaseSchema,
  NotConnectedError,
  type Operation,
  type OperationError,
  type OperationResult,
  type Row,
  type RowDelta,
} from '../../src/ovsdb-client/index.ts';
import { diffValues } from '../../src/ovsdb-client/value-diff.ts';
import type { Database } from '../../src/ovsdb-state/index.ts';
import { type Columns, ModelTransaction, type Tables } from './model-transaction.ts';

/** What happens to the next transaction of the session. */
export type Fate =
  | { readonly kind: 'normal' }
  /** The answer comes before the updates. */
  | { readonly kind: 'answer-first' }
  /** The connection breaks: after it was carried out, or before. */
  | { readonly kind: 'lost'; readonly applied: boolean }
  | { readonly kind: 'refused'; readonly error: OperationError };

/** Sees each transaction of the session with the database before and after it. */
export type Witness = (operations: readonly Operation[], before: Tables, after: Tables) => void;

/**
 * An OVSDB in memory, and a session with it. Transactions are carried out as they come; the session hears of them, and
 * of those of others, only when {@link deliver} is called, so that a test decides what races with what.
 */
export class ModelDatabase implements Database {
  readonly schema: DatabaseSchema;
  readonly locks = new Set<string>();
  state = 'ready';
  tables: Tables = new Map();
  /** Decides over the next transaction of the session. */
  fate: (operations: readonly Operation[]) => Fate = () => ({ kind: 'normal' });
  witness: Witness = () => {};
  readonly sent: (readonly Operation[])[] = [];
  readonly failures: Error[] = [];
  readonly #mirror = new Map<string, Map<string, Row>>();
  readonly #deltaListeners = new Set<(deltas: readonly RowDelta[]) => void>();
  readonly #stateListeners = new Set<() => void>();
  #queue: (() => void)[] = [];
  /** The updates in the queue, and the tables as the session was last told. */
  readonly #updates = new Set<() => void>();
  #told: Tables = new Map();

  constructor(schema: DatabaseSchema) {
    this.schema = schema;
  }

  rows(table: string): ReadonlyMap<string, Row> {
    return this.#mirror.get(table) ?? new Map();
  }

  onDelta(listener: (deltas: readonly RowDelta[]) => void): () => void {
    this.#deltaListeners.add(listener);
    return () => this.#deltaListeners.delete(listener);
  }

  onState(listener: () => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    this.sent.push(operations);
    return new Promise((resolve, reject) => {
      const fate = this.fate(operations);
      if (fate.kind === 'refused') {
        this.#queue.push(() => reject(fate.error));
        return;
      }
      if (fate.kind === 'lost') {
        if (fate.applied) this.#attempt(operations);
        this.disconnect();
        this.#queue.push(() => reject(new NotConnectedError('lost', { maybeApplied: true })));
        return;
      }
      const before = this.tables;
      const result = this.#attempt(operations);
      if (result instanceof Error) {
        this.failures.push(result);
        this.#queue.push(() => reject(result));
        return;
      }
      this.witness(operations, before, this.tables);
      if (fate.kind === 'answer-first') this.#queue.splice(-1, 0, () => resolve(result));
      else this.#queue.push(() => resolve(result));
    });
  }

  /** Somebody else's transaction. Throws what the server would answer. */
  execute(operations: readonly Operation[]): readonly OperationResult[] {
    const result = this.#attempt(operations);
    if (result instanceof Error) throw result;
    return result;
  }

  /** Lets the session hear the next thing: an update or an answer. False where there is nothing. */
  deliver(): boolean {
    const next = this.#queue.shift();
    next?.();
    return next !== undefined;
  }

  /** Lets the session hear of all changes so far in one update, as a busy server tells them. */
  deliverAtOnce(): void {
    this.#queue = this.#queue.filter(event => !this.#updates.delete(event));
    const deltas = difference(this.#told, this.tables);
    this.#told = this.tables;
    this.#tell(deltas);
  }

  disconnect(): void {
    this.state = 'connecting';
    for (const listener of this.#stateListeners) listener();
  }

  /** Connects again: the mirror takes over what it has missed. */
  reconnect(): void {
    while (this.deliver());
    this.state = 'ready';
    for (const listener of this.#stateListeners) listener();
  }

  #attempt(operations: readonly Operation[]): readonly OperationResult[] | Error {
    const transaction = new ModelTransaction(this.schema, this.tables, this.locks);
    try {
      const results = transaction.run(operations);
      const deltas = difference(this.tables, transaction.tables);
      this.tables = transaction.tables;
      const { tables } = this;
      const update = () => {
        this.#updates.delete(update);
        this.#told = tables;
        this.#tell(deltas);
      };
      if (deltas.length > 0) {
        this.#queue.push(update);
        this.#updates.add(update);
      }
      return results;
    } catch (error) {
      return error as Error;
    }
  }

  #tell(deltas: readonly RowDelta[]): void {
    for (const { kind, table, row } of deltas) {
      const rows = this.#mirror.get(table) ?? new Map<string, Row>();
      this.#mirror.set(table, rows);
      if (kind === 'delete') rows.delete(row.uuid);
      else rows.set(row.uuid, row);
    }
    for (const listener of this.#deltaListeners) listener(deltas);
  }
}

function difference(before: Tables, after: Tables): readonly RowDelta[] {
  const deltas: RowDelta[] = [];
  for (const table of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(table), after.get(table)];
    for (const [uuid, columns] of now ?? []) {
      const previous = old?.get(uuid);
      if (!previous) deltas.push({ kind: 'insert', table, row: { uuid, columns } });
      else deltas.push(...modification(table, uuid, previous, columns));
    }
    for (const [uuid, columns] of old ?? []) {
      if (!now?.has(uuid)) deltas.push({ kind: 'delete', table, row: { uuid, columns } });
    }
  }
  return deltas;
}

function modification(table: string, uuid: string, old: Columns, columns: Columns): readonly RowDelta[] {
  const changed = Object.fromEntries(
    Object.keys(columns).flatMap(name => {
      const delta = diffValues(old[name], columns[name]);
      return delta ? [[name, delta]] : [];
    }),
  );
  return Object.keys(changed).length === 0
    ? []
    : [{ kind: 'modify', table, row: { uuid, columns }, changed }];
}
