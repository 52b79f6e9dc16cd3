/** Functions that are called in the order they came. One that throws hinders no other. */
export class Listeners<A extends readonly unknown[]> {
  readonly #listeners = new Set<{ readonly call: (...args: A) => void }>();
  readonly #onThrow: (cause: unknown) => void;

  constructor(onThrow: (cause: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** Adds a listener; the answer takes it away again. */
  add(call: (...args: A) => void): () => void {
    const entry = { call };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  emit(...args: A): void {
    for (const { call } of [...this.#listeners]) {
      try {
        call(...args);
      } catch (cause) {
        this.#onThrow(cause);
      }
    }
  }
}
