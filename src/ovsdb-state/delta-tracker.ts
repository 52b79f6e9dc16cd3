import type { Atom } from '../ovsdb-client/types.ts';
import { getOrAdd } from './get-or-add.ts';
import type { Ownership } from './ownership.ts';
import { RowQueue } from './row-queue.ts';
import type { Dirt, TrackedRow } from './tracked-row.ts';

/**
 * Why a row is looked at: the wish changed, the mirror changed, or it is time to try again. We may always follow the wish
 * at once. Where a change of the mirror calls for another one it was somebody else's, and repairs can turn into a fight.
 */
export type Cause = 'wish' | 'mirror' | 'retry';

/** The part of a row that may differ now. */
export interface Touch {
  readonly columns?: Iterable<string> | 'all';
  readonly atom?: readonly [column: string, atom: Atom];
  readonly links?: boolean;
}

export const EVERYTHING: Touch = { columns: 'all', links: true };

/**
 * The rows that may differ between wish and mirror, each once, in the order in which they are to be written. It does
 * not compare: that is done once, when the row's turn comes.
 */
export class DeltaTracker {
  readonly #phases = new Map<string, number>();
  readonly #writes: readonly RowQueue[];
  readonly #removals: readonly RowQueue[];
  /** In the order of planning: parents are written first, and removed last. */
  readonly #queues: readonly RowQueue[];
  readonly #onDirty: () => void;

  constructor(ownership: Ownership, onDirty: () => void) {
    for (const [index, tables] of ownership.phases.entries()) {
      for (const table of tables) this.#phases.set(table, index);
    }
    this.#writes = ownership.phases.map(() => new RowQueue());
    this.#removals = ownership.phases.map(() => new RowQueue());
    this.#queues = [...this.#writes, ...this.#removals.toReversed()];
    this.#onDirty = onDirty;
  }

  /** Marks a part of a row, and whatever waits for that row. */
  touch(row: TrackedRow, what: Touch, cause: Cause): void {
    const repair = cause === 'mirror';
    row.dirt ??= { columns: undefined, atoms: undefined, links: false, repair };
    merge(row.dirt, what);
    row.dirt.repair &&= repair;
    if (cause !== 'retry') row.retry = undefined;
    if (cause === 'wish') row.repairs = undefined;
    this.enqueue(row);
    this.wake(row);
  }

  /** Marks whatever waits for a row. */
  wake(row: TrackedRow): void {
    const { waiters } = row;
    row.waiters = undefined;
    for (const waiter of waiters ?? []) this.touch(waiter, EVERYTHING, 'retry');
  }

  /** Puts a row with dirt back into its queue. */
  enqueue(row: TrackedRow): void {
    const phase = this.#phases.get(row.table);
    if (phase === undefined || row.dirt === undefined) return;
    const [queue, other] = row.desired ? [this.#writes, this.#removals] : [this.#removals, this.#writes];
    other[phase]?.delete(row);
    queue[phase]?.add(row);
    this.#onDirty();
  }

  /** The next row to write (parents first), or else to remove (children first). To be followed by {@link take}. */
  next(): TrackedRow | undefined {
    for (const queue of this.#queues) if (!queue.isEmpty) return queue.shift();
    return undefined;
  }

  /** Takes the row out, wherever it is, with what was marked. */
  take(row: TrackedRow): Dirt | undefined {
    const phase = this.#phases.get(row.table);
    if (phase !== undefined) {
      this.#writes[phase]?.delete(row);
      this.#removals[phase]?.delete(row);
    }
    const { dirt } = row;
    row.dirt = undefined;
    return dirt;
  }

  /** How many rows have something left to do. */
  get size(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.size, 0);
  }

  isEmpty(): boolean {
    return this.#queues.every(queue => queue.isEmpty);
  }
}

function merge(dirt: Dirt, { columns, atom, links }: Touch): void {
  if (columns === 'all') {
    dirt.columns = 'all';
  } else if (columns && dirt.columns !== 'all') {
    dirt.columns ??= new Set();
    for (const column of columns) dirt.columns.add(column);
  }
  if (atom) {
    const [column, value] = atom;
    dirt.atoms ??= new Map();
    getOrAdd(dirt.atoms, column, () => new Set<Atom>()).add(value);
  }
  if (links) dirt.links = true;
}
