/**
 * Watches how long a peer has been silent. Timers that are due after our own process was busy run before the sockets
 * are read; so nothing is judged before they have been (setImmediate comes after them).
 */
export class SilenceWatch {
  readonly #intervalMs: number;
  readonly #actions: { probe(): void; giveUp(): void };
  #heardAt = performance.now();
  #probed = false;
  #stopped = false;
  #timer: NodeJS.Timeout;

  constructor(intervalMs: number, actions: { probe(): void; giveUp(): void }) {
    this.#intervalMs = intervalMs;
    this.#actions = actions;
    this.#timer = this.#later(intervalMs);
  }

  /** Bytes came. */
  heard(): void {
    this.#heardAt = performance.now();
    this.#probed = false;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #later(ms: number): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.#judge()), ms);
  }

  #judge(): void {
    if (this.#stopped) return;
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs >= 2 * this.#intervalMs && this.#probed) {
      this.#actions.giveUp();
      return;
    }
    if (silentMs >= this.#intervalMs && !this.#probed) {
      this.#probed = true;
      this.#actions.probe();
    }
    const due = this.#probed ? 2 * this.#intervalMs : this.#intervalMs;
    this.#timer = this.#later(Math.max(1, due - silentMs));
  }
}
