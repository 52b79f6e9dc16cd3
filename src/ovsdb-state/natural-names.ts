import { getOrAdd } from './get-or-add.ts';
import type { TrackedRow } from './tracked-row.ts';

/** Which names (values of natural keys) we want, and which the rows of others have. Both by table. */
export class NaturalNames {
  readonly #wanted = new Map<string, Map<string, TrackedRow>>();
  readonly #foreign = new Map<string, Map<string, Set<string>>>();

  want(row: TrackedRow, name: string): void {
    getOrAdd(this.#wanted, row.table, () => new Map<string, TrackedRow>()).set(name, row);
  }

  unwant(row: TrackedRow, name: string): void {
    const wanted = this.#wanted.get(row.table);
    if (wanted?.get(name) === row) wanted.delete(name);
  }

  /** Notes that somebody else's row has the name; the answer is the row of ours that wants it. */
  take(table: string, name: string, uuid: string): TrackedRow | undefined {
    const names = getOrAdd(this.#foreign, table, () => new Map<string, Set<string>>());
    getOrAdd(names, name, () => new Set<string>()).add(uuid);
    return this.#wanted.get(table)?.get(name);
  }

  /** Notes that somebody else's row has the name no more; the answer is the row of ours that wants it. */
  free(table: string, name: string, uuid: string): TrackedRow | undefined {
    const names = this.#foreign.get(table);
    const uuids = names?.get(name);
    uuids?.delete(uuid);
    if (uuids?.size === 0) names?.delete(name);
    return this.#wanted.get(table)?.get(name);
  }

  /** A row of somebody else that has the name, or undefined. */
  foreign(table: string, name: string): string | undefined {
    const [uuid] = this.#foreign.get(table)?.get(name) ?? [];
    return uuid;
  }
}
