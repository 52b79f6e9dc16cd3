/** The first pause, in ms; each failure in a row doubles it, up to the longest. */
const FIRST = 500;
const LONGEST = 10_000;

/** Ever longer pauses between attempts that fail in a row, no two of them alike on two machines. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** How long to wait after one more failure, in ms: at least what the server asks for. */
  next(retryAfter = 0): number {
    const full = Math.min(LONGEST, FIRST * 2 ** this.#failures);
    if (full < LONGEST) this.#failures++;
    return retryAfter + full / 2 + (this.#random() * full) / 2;
  }

  /** Something worked. */
  reset(): void {
    this.#failures = 0;
  }
}
