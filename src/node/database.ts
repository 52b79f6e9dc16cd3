import type { Atom, Operation, OperationResult, Row, RowDelta, Value } from '../ovsdb-client/index.ts';
import type { Changing } from './own-node.ts';

/** What the agent needs of an OVSDB session: a mirror that tells of its changes, and transactions. */
export interface Database {
  /** Whether the mirror is complete and the connection stands. */
  readonly connected: boolean;
  /** The mirror's rows of a monitored table. They stay while the connection is lost. */
  rows(table: string): Iterable<Row>;
  /**
   * Calls after each batch of changes, with them, and with an empty list whenever `connected` changes. Listeners are
   * called in the order in which they came. Gives the function that ends it.
   */
  onChange(listener: (changes: readonly RowDelta[]) => void): () => void;
  /** Runs the operations as one transaction. Rejects where it is refused or its outcome is unknown. */
  transact(operations: readonly Operation[]): Promise<readonly OperationResult[]>;
}

/**
 * Runs a transaction and checks that each `mutate` and `update` found its row: the server counts a missing one as 0
 * and calls that success. The transaction has been committed then, so an operation that must not be done without its
 * row belongs behind a `wait`.
 */
export async function commit(database: Database, operations: readonly Operation[]): Promise<void> {
  const results = await database.transact(operations);
  for (const [index, { op, table }] of operations.entries()) {
    if ((op === 'mutate' || op === 'update') && results[index]?.count === 0) {
      throw new Error(`${op} of ${String(table)}: the row is gone`);
    }
  }
}

/** How long the mirror may lag behind a transaction that has been answered. */
const MIRROR_MS = 10_000;

/**
 * Carries out what `plan` finds to do, and waits until the mirror leaves it nothing: success is what the mirror shows,
 * not what the reply said. False where there was nothing to do.
 */
export async function settle(database: Database, plan: () => readonly Operation[]): Promise<boolean> {
  const operations = plan();
  if (operations.length === 0) return false;
  await commit(database, operations);
  await until([database], () => (plan().length === 0 ? true : undefined), {
    ms: MIRROR_MS,
    late: () => new Error(`the database does not show what was written: ${JSON.stringify(operations)}`),
  });
  return true;
}

/** The text of a column; '' where it is empty or not text. */
export function textOf(row: Row, column: string): string {
  const value: Value = row.columns[column];
  return typeof value === 'string' ? value : '';
}

/** The members of a set column, of a scalar or optional one as a set of one, as text. */
export function membersOf(row: Row, column: string): readonly string[] {
  const value: Value = row.columns[column];
  if (value instanceof Set) return [...(value as ReadonlySet<Atom>)].map(String);
  return value === undefined || value instanceof Map ? [] : [String(value)];
}

/** One key of a map column. */
export function entryOf(row: Row, column: string, key: string): string | undefined {
  const value: Value = row.columns[column];
  const entry = value instanceof Map ? (value as ReadonlyMap<Atom, Atom>).get(key) : undefined;
  return entry === undefined ? undefined : String(entry);
}

/** The first row whose text column has this value. */
export function findRow(database: Database, table: string, column: string, value: string): Row | undefined {
  for (const row of database.rows(table)) {
    if (textOf(row, column) === value) return row;
  }
  return undefined;
}

/** How long to wait for something, what cancels it, and the error where it did not come. */
export interface Limit {
  /** Infinity: until it is cancelled. */
  readonly ms: number;
  readonly signal?: AbortSignal;
  late(): Error;
}

/**
 * Waits until `probe` gives something, looking again after every change of the sources. Rejects with what `probe`
 * throws, with the signal's reason, or with `late()` when the time is over.
 */
export function until<T>(
  sources: readonly Changing[],
  probe: () => T | undefined,
  { ms, signal, late }: Limit,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const ends: (() => void)[] = [];
    const finish = (settle: () => void) => {
      for (const end of ends.splice(0)) end();
      settle();
    };
    const look = () => {
      try {
        const found = probe();
        if (found !== undefined) finish(() => resolve(found));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const cancel = () => finish(() => reject(signal?.reason));
    if (signal?.aborted) {
      cancel();
      return;
    }
    if (Number.isFinite(ms)) {
      const timer = setTimeout(() => finish(() => reject(late())), ms);
      ends.push(() => clearTimeout(timer));
    }
    signal?.addEventListener('abort', cancel, { once: true });
    ends.push(() => signal?.removeEventListener('abort', cancel));
    for (const source of sources) ends.push(source.onChange(look));
    look();
  });
}
