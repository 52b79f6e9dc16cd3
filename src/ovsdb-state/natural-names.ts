import type { TrackedRow } from './tracked-row.ts';

/** Which names (values of natural keys) we want, and which the rows of others have. */
export class NaturalNames {
  readonly #wanted = new Map<string, TrackedRow>();
  readonly #foreign = new Map<string, Set<string>>();

  want(row: TrackedRow, name: string): void {
    this.#wanted.set(slot(row.table, name), row);
  }

  unwant(row: TrackedRow, name: string): void {
    const key = slot(row.table, name);
    if (this.#wanted.get(key) === row) this.#wanted.delete(key);
  }

  /** Notes that somebody else's row has the name; the answer is the row of ours that wants it. */
  take(table: string, name: string, uuid: string): TrackedRow | undefined {
    const key = slot(table, name);
    const uuids = this.#foreign.get(key);
    if (uuids) uuids.add(uuid);
    else this.#foreign.set(key, new Set([uuid]));
    return this.#wanted.get(key);
  }

  /** Notes that somebody else's row has the name no more; the answer is the row of ours that wants it. */
  free(table: string, name: string, uuid: string): TrackedRow | undefined {
    const key = slot(table, name);
    const uuids = this.#foreign.get(key);
    uuids?.delete(uuid);
    if (uuids?.size === 0) this.#foreign.delete(key);
    return this.#wanted.get(key);
  }

  /** A row of somebody else that has the name, or undefined. */
  foreign(table: string, name: string): string | undefined {
    const [uuid] = this.#foreign.get(slot(table, name)) ?? [];
    return uuid;
  }
}

function slot(table: string, name: string): string {
  return `${table}\0${name}`;
}
