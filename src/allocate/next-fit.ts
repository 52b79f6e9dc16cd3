/**
 * Hands out numbers from a range. The search goes on behind the last number handed out and wraps once, so that a number
 * given back is the last to be used again: others may remember its former owner for a while.
 */
export class NextFit {
  readonly #first: bigint;
  readonly #last: bigint;
  #cursor: bigint;

  /** The numbers from `first` to `last`, both included. */
  constructor(first: bigint, last: bigint) {
    this.#first = first;
    this.#last = last;
    this.#cursor = first;
  }

  /**
   * The next free number, or undefined where there is none. `busyUntil` gives undefined for a free number, else the last
   * number from there on that is certainly taken.
   */
  next(busyUntil: (candidate: bigint) => bigint | undefined): bigint | undefined {
    const start = this.#cursor > this.#last ? this.#first : this.#cursor;
    const found = search(start, this.#last, busyUntil) ?? search(this.#first, start - 1n, busyUntil);
    if (found !== undefined) this.#cursor = found + 1n;
    return found;
  }

  /** Goes on behind a number that is known to be in use, if that is further than it came by itself. */
  skip(used: bigint): void {
    if (used >= this.#cursor && used <= this.#last) this.#cursor = used + 1n;
  }
}

function search(
  first: bigint,
  last: bigint,
  busyUntil: (candidate: bigint) => bigint | undefined,
): bigint | undefined {
  for (let candidate = first; candidate <= last; ) {
    const busy = busyUntil(candidate);
    if (busy === undefined) return candidate;
    candidate = busy + 1n;
  }
  return undefined;
}
