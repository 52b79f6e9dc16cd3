import { OperationError } from '../../src/ovsdb-client/index.ts';
import type { Operation, OperationResult, Row, RowDelta } from '../../src/ovsdb-client/types.ts';
import type { Database } from '../../src/ovsdb-state/index.ts';

type Pairs = readonly (readonly [string, string])[];

/**
 * One northbound in memory that has NB_Global and nothing else, and any number of sessions with it. Of transactions it
 * knows what has to do with the `external_ids` of that row, and comments.
 */
export class SharedNorthbound {
  readonly #sessions: SharedSession[] = [];
  #ids: ReadonlyMap<string, string> = new Map();

  session(): SharedSession {
    const session = new SharedSession(this);
    this.#sessions.push(session);
    session.updates.push(this.#ids);
    session.deliver();
    return session;
  }

  /** Carries a transaction out; throws what the server would answer. */
  execute(operations: readonly Operation[]): readonly OperationResult[] {
    const ids = new Map(this.#ids);
    for (const [index, operation] of operations.entries()) {
      if (operation.op === 'wait' && !includes(ids, operation))
        throw new OperationError('timed out', undefined, index);
      if (operation.op === 'mutate') mutate(ids, operation);
    }
    if (operations.some(({ op }) => op === 'mutate')) {
      this.#ids = ids;
      for (const session of this.#sessions) session.updates.push(ids);
    }
    return operations.map(() => ({}));
  }
}

function includes(ids: ReadonlyMap<string, string>, { where }: Operation): boolean {
  const [[, , [, pairs]]] = where as [[string, string, [string, Pairs]]];
  return pairs.every(([key, value]) => ids.get(key) === value);
}

function mutate(ids: Map<string, string>, { mutations }: Operation): void {
  for (const [, mutator, [, items]] of mutations as [string, string, [string, readonly unknown[]]][]) {
    if (mutator === 'delete') for (const key of items as readonly string[]) ids.delete(key);
    else for (const [key, value] of items as Pairs) if (!ids.has(key)) ids.set(key, value);
  }
}

/** A session that hears of what happened when {@link deliver} is called. */
export class SharedSession implements Database {
  readonly state = 'ready';
  readonly schema = undefined;
  readonly updates: ReadonlyMap<string, string>[] = [];
  readonly #northbound: SharedNorthbound;
  readonly #mirror = new Map<string, Row>();
  readonly #listeners = new Set<(deltas: readonly RowDelta[]) => void>();

  constructor(northbound: SharedNorthbound) {
    this.#northbound = northbound;
  }

  rows(table: string): ReadonlyMap<string, Row> {
    return table === 'NB_Global' ? this.#mirror : new Map();
  }

  onDelta(listener: (deltas: readonly RowDelta[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onState(): () => void {
    return () => {};
  }

  async transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    return this.#northbound.execute(operations);
  }

  deliver(): void {
    const deltas = this.updates.splice(0).map(ids => {
      const row = { uuid: 'global', columns: { external_ids: ids } };
      this.#mirror.set(row.uuid, row);
      return { kind: 'insert', table: 'NB_Global', row } as const;
    });
    if (deltas.length > 0) for (const listener of this.#listeners) listener(deltas);
  }
}
