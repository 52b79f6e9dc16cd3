/** Those who want to be told of a change. */
export class Listeners {
  readonly #listeners = new Set<() => void>();

  /** Gives the function that ends it. */
  add(listener: () => void): () => void {
    // Each call counts for itself, also of one function that was given twice.
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
