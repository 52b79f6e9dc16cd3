import type { Sightings } from './manifest-files.ts';

/** A change counts once its file has rested for this long, in ms. */
const REST = 200;
/** Files that rest wait for others that do not for this long, in ms. */
const PATIENCE = 1000;

interface Change {
  readonly signature: string | undefined;
  /** When it was last seen to change. */
  readonly since: number;
  /** When the change was first seen, once it had rested: from then on others wait for nothing longer than PATIENCE. */
  readonly ready: number;
}

/**
 * Changed files on their way to rest. Changes that are seen together are due together, so that an object which moves
 * from one file to another is not gone in between.
 */
export class RestingChanges {
  readonly #changes = new Map<string, Change>();
  #first = true;

  /** Whether something has changed that was not taken yet. */
  get pending(): boolean {
    return this.#changes.size > 0;
  }

  /** Notes that these paths are not what they were, as seen at `now`; other paths are. */
  note(paths: readonly string[], sightings: Sightings, now: number): void {
    const differing = new Set(paths);
    for (const file of this.#changes.keys()) if (!differing.has(file)) this.#changes.delete(file);
    for (const file of paths) {
      const sighting = sightings.get(file);
      const known = this.#changes.get(file);
      if (known !== undefined && known.signature === sighting?.signature) continue;
      // At the start a file has rested since its own last change, not since we came.
      const since = this.#first ? Math.min(now, sighting?.changed ?? now) : now;
      this.#changes.set(file, {
        signature: sighting?.signature,
        since,
        ready: Math.max(now, since + REST),
      });
    }
  }

  /**
   * The paths to take now, if any. `overdue` means that there are others, which do not rest. The first answer has all
   * paths (a part of the manifests must not look like the whole) and may be empty: nothing to read is a state, too.
   */
  due(now: number): { readonly paths: readonly string[]; readonly overdue: boolean } | undefined {
    const all = [...this.#changes.keys()];
    const resting: string[] = [];
    let oldest = Number.POSITIVE_INFINITY;
    for (const [file, { since, ready }] of this.#changes) {
      if (now < since + REST) continue;
      resting.push(file);
      oldest = Math.min(oldest, ready);
    }
    const overdue = resting.length < all.length;
    if (overdue && now < oldest + PATIENCE) return undefined;
    if (all.length === 0 && !this.#first) return undefined;
    return { paths: this.#first ? all : resting, overdue };
  }

  /** The paths have been taken. */
  forget(paths: readonly string[]): void {
    this.#first = false;
    for (const file of paths) this.#changes.delete(file);
  }
}
