/**
 * Runs one piece of work at a time: asked for while it runs, it runs once more afterwards, however often it was
 * asked for. For work that brings a state to what it should be, so that only the last look counts.
 */
export class Coalesced {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #again = false;
  #ended = false;

  constructor(work: () => Promise<void>, failed: (error: unknown) => void) {
    this.#work = work;
    this.#failed = failed;
  }

  request(): void {
    if (this.#ended) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Resolves when the work at hand has ended; none begins any more. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#again = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#work().catch(this.#failed);
    }
    this.#running = undefined;
  }
}
