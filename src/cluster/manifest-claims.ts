import { Buffer } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, type ObjectKey, objectId, objectTitle } from './manifest-object.ts';

/** An object as one file has it. `line` counts from 1. */
export interface ManifestClaim {
  readonly line: number;
  readonly object: KubeObject;
}

/** Something in the manifests that cannot be used: `File path` or `Kind namespace/name`, and why. */
export interface ManifestProblem {
  readonly object: string;
  readonly reason: string;
}

/** A file as the claims know it. Files are ranked bytewise by `rank`; the first one that has an object wins it. */
export interface ClaimingFile {
  readonly path: string;
  readonly rank: string;
}

interface Claim extends ManifestClaim {
  readonly file: ClaimingFile;
}

/**
 * Which file has which object, and what consumers have been told. The outcome depends on the current claims only; while
 * the reading is not complete, deletions are held back.
 */
export class ManifestClaims {
  readonly #idsOf = new Map<string, readonly string[]>();
  readonly #claims = new Map<string, Claim[]>();
  readonly #told = new Map<string, KubeObject>();
  readonly #dirty = new Set<string>();
  readonly #vanished = new Set<string>();
  readonly #contested = new Set<string>();

  /** Replaces everything that the file claims. */
  set(file: ClaimingFile, claims: readonly ManifestClaim[]): void {
    for (const id of this.#idsOf.get(file.path) ?? []) {
      const others = (this.#claims.get(id) ?? []).filter(claim => claim.file.path !== file.path);
      if (others.length > 0) this.#claims.set(id, others);
      else this.#claims.delete(id);
      this.#dirty.add(id);
    }
    const ids = claims.map(claim => objectId(claim.object));
    for (const [index, claim] of claims.entries()) {
      const id = ids[index] ?? '';
      const rivals = this.#claims.get(id);
      if (rivals === undefined) this.#claims.set(id, [{ ...claim, file }]);
      else rivals.push({ ...claim, file });
      this.#dirty.add(id);
    }
    if (ids.length > 0) this.#idsOf.set(file.path, ids);
    else this.#idsOf.delete(file.path);
  }

  /** What changed since the last call. Without `complete`, objects that no file has any more are kept for later. */
  settle(complete: boolean): { put: KubeObject[]; deleted: ObjectKey[] } {
    const put: KubeObject[] = [];
    for (const id of this.#dirty) {
      const winner = this.#winner(id);
      const told = this.#told.get(id);
      if (winner === undefined) {
        if (told !== undefined) this.#vanished.add(id);
      } else if (told === undefined || !isDeepStrictEqual(told.raw, winner.raw)) {
        this.#told.set(id, winner);
        put.push(winner);
      }
    }
    this.#dirty.clear();
    return { put, deleted: complete ? this.#bury() : [] };
  }

  /** Everything that consumers have been told of. */
  objects(): readonly KubeObject[] {
    return [...this.#told.values()];
  }

  /** Objects that several files, or one file twice, have: every claim but the first is refused. */
  duplicates(): readonly ManifestProblem[] {
    return [...this.#contested].sort().flatMap(id => {
      const [first, ...others] = this.#claims.get(id) ?? [];
      if (first === undefined) return [];
      return others.map(other => ({
        object: objectTitle(other.object),
        reason: `${placeOf(other)} has it again; ${placeOf(first)} comes first and is used: remove one of them`,
      }));
    });
  }

  #winner(id: string): KubeObject | undefined {
    const claims = this.#claims.get(id) ?? [];
    if (claims.length > 1) {
      claims.sort((a, b) => Buffer.compare(Buffer.from(a.file.rank), Buffer.from(b.file.rank)));
      this.#contested.add(id);
    } else this.#contested.delete(id);
    return claims[0]?.object;
  }

  #bury(): ObjectKey[] {
    const deleted: ObjectKey[] = [];
    for (const id of this.#vanished) {
      const told = this.#told.get(id);
      if (told === undefined || this.#claims.has(id)) continue;
      this.#told.delete(id);
      const { apiVersion, kind, namespace, name } = told;
      deleted.push({ apiVersion, kind, namespace, name });
    }
    this.#vanished.clear();
    return deleted;
  }
}

function placeOf(claim: Claim): string {
  return `${claim.file.path} (line ${claim.line})`;
}
