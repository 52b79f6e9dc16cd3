/** Work of one key runs one after the other, in the order in which it came; that of different keys at the same time. */
export class Lanes {
  /** By key: the end of the last work so far. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether work of this key runs or waits. */
  isBusy(key: string): boolean {
    return this.#last.has(key);
  }

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(work, work);
    this.#last.set(key, result);
    const forget = () => {
      if (this.#last.get(key) === result) this.#last.delete(key);
    };
    result.then(forget, forget);
    return result;
  }

  /** Resolves when all work that there is now has ended, however it ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
