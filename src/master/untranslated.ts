import { type KubeObject, type ObjectKey, objectId, objectTitle } from '../cluster/manifests.ts';
import { countedKind, isUnenforcedPolicy } from './kinds.ts';

/** What is wrong with a policy that has no effect. */
export const NOT_ENFORCED = 'policies are not enforced yet';

/** Objects of kinds that are not translated: counted by kind, and policies by name, too. */
export class Untranslated {
  readonly #kinds = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #policies = new Map<string, string>();

  put(object: KubeObject): void {
    const id = objectId(object);
    if (this.#kinds.has(id)) return;
    const kind = countedKind(object);
    this.#kinds.set(id, kind);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (isUnenforcedPolicy(object)) this.#policies.set(id, objectTitle(object));
  }

  delete(object: ObjectKey): void {
    const id = objectId(object);
    const kind = this.#kinds.get(id);
    if (kind === undefined) return;
    this.#kinds.delete(id);
    this.#policies.delete(id);
    const left = (this.#counts.get(kind) ?? 0) - 1;
    if (left > 0) this.#counts.set(kind, left);
    else this.#counts.delete(kind);
  }

  /** How many objects there are of each kind, by the kind's name. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Policies that nothing enforces yet, as `Kind namespace/name`, sorted. */
  policies(): readonly string[] {
    return [...this.#policies.values()].sort();
  }
}
