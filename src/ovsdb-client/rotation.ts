import type { Endpoint } from './endpoints.ts';
import { WrongDatabaseError } from './errors.ts';

/** Waiting between attempts: doubled from `minMs` to `maxMs`, each time somewhere between half of it and all of it. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Which server comes next, after how long, and whether there is any sense in it. */
export class Rotation {
  readonly #remotes: readonly Endpoint[];
  readonly #backoff: Backoff;
  #next = 0;
  #failures = 0;
  #reached = 0;
  #wrong = 0;

  constructor(remotes: readonly Endpoint[], backoff: Backoff) {
    this.#remotes = remotes;
    this.#backoff = backoff;
  }

  /** The endpoint to try now. */
  next(): Endpoint {
    const endpoint = this.#remotes[this.#next % this.#remotes.length];
    if (endpoint === undefined) throw new RangeError('a session needs at least one remote');
    this.#next++;
    return endpoint;
  }

  /**
   * An attempt failed; `reached`: with an OVSDB server that answered. The other servers of the list are tried at once,
   * and after a whole round there is a pause, or the verdict that every server that was reached lacks the database.
   */
  failed(cause: Error, reached: boolean): { readonly waitMs: number; readonly isWrong: boolean } {
    this.#failures++;
    if (reached) this.#reached++;
    if (cause instanceof WrongDatabaseError) this.#wrong++;
    if (this.#failures % this.#remotes.length !== 0) return { waitMs: 0, isWrong: false };
    const isWrong = this.#reached > 0 && this.#wrong === this.#reached;
    this.#reached = 0;
    this.#wrong = 0;
    const rounds = this.#failures / this.#remotes.length;
    const full = Math.min(this.#backoff.maxMs, this.#backoff.minMs * 2 ** Math.min(rounds - 1, 30));
    return { waitMs: full * (0.5 + Math.random() / 2), isWrong };
  }

  /** A session that was ready, and lasted, ended: all servers get a fresh chance. */
  succeeded(): void {
    this.#failures = 0;
    this.#reached = 0;
    this.#wrong = 0;
  }
}
