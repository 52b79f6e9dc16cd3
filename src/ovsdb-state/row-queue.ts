import type { TrackedRow } from './tracked-row.ts';

/** Rows in the order in which they came, each once. */
export class RowQueue {
  readonly #rows = new Set<TrackedRow>();
  /**
   * Goes on where the last look ended. A new walk over a Set that is emptied from the front would step over all that is
   * gone already, for each row again.
   */
  readonly #walk = this.#rows.values();

  get size(): number {
    return this.#rows.size;
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  add(row: TrackedRow): void {
    this.#rows.add(row);
  }

  delete(row: TrackedRow): void {
    this.#rows.delete(row);
  }

  /** Takes out the first row; undefined where there is none. */
  shift(): TrackedRow | undefined {
    // Not asked when there is nothing: a walk that has once come to its end does not see what comes later.
    const row: TrackedRow | undefined = this.isEmpty ? undefined : this.#walk.next().value;
    if (row) this.#rows.delete(row);
    return row;
  }
}
