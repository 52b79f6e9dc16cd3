import { deepEqual } from './deep-equal.ts';

/** Told of each change: `came` and `went` say that the key was new, or is no longer there. */
export type FactListener = (kind: string, key: string, change: 'came' | 'changed' | 'went') => void;

interface KindOfFacts {
  readonly facts: Map<string, unknown>;
  /** Cached until a key comes or goes. */
  sortedKeys: readonly string[] | undefined;
}

const NO_KEYS: readonly string[] = [];

/** What is known of the world now: one fact for each kind and key. Facts are never changed in place. */
export class FactStore<F> {
  readonly #kinds = new Map<string, KindOfFacts>();
  readonly #listeners: FactListener[] = [];

  /** Stores a fact. One that is equal to the stored one (by structure) is no change. */
  put<K extends keyof F & string>(kind: K, key: string, fact: F[K]): void {
    const store = this.#kind(kind);
    const isNew = !store.facts.has(key);
    if (!isNew && deepEqual(store.facts.get(key), fact)) return;
    store.facts.set(key, fact);
    if (isNew) store.sortedKeys = undefined;
    this.#tell(kind, key, isNew ? 'came' : 'changed');
  }

  /** Forgets a fact. One that is not there is no change. */
  delete<K extends keyof F & string>(kind: K, key: string): void {
    const store = this.#kinds.get(kind);
    if (!store?.facts.delete(key)) return;
    store.sortedKeys = undefined;
    this.#tell(kind, key, 'went');
  }

  get<K extends keyof F & string>(kind: K, key: string): F[K] | undefined {
    // put() is the only writer: what is stored under a kind has the kind's type.
    return this.#kinds.get(kind)?.facts.get(key) as F[K] | undefined;
  }

  has<K extends keyof F & string>(kind: K, key: string): boolean {
    return this.#kinds.get(kind)?.facts.has(key) ?? false;
  }

  /** The keys of all facts of a kind, sorted. */
  keys<K extends keyof F & string>(kind: K): readonly string[] {
    const store = this.#kinds.get(kind);
    if (!store) return NO_KEYS;
    store.sortedKeys ??= [...store.facts.keys()].sort();
    return store.sortedKeys;
  }

  /** The number of facts of a kind. */
  size<K extends keyof F & string>(kind: K): number {
    return this.#kinds.get(kind)?.facts.size ?? 0;
  }

  /** Calls `listener` after each change from now on, before put() or delete() returns. */
  subscribe(listener: FactListener): void {
    this.#listeners.push(listener);
  }

  #kind(kind: string): KindOfFacts {
    let store = this.#kinds.get(kind);
    if (!store) {
      store = { facts: new Map(), sortedKeys: undefined };
      this.#kinds.set(kind, store);
    }
    return store;
  }

  #tell(kind: string, key: string, change: 'came' | 'changed' | 'went'): void {
    for (const listener of this.#listeners) listener(kind, key, change);
  }
}
