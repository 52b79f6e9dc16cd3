/** How many requests may be sent. */
export interface Rate {
  readonly perSecond: number;
  /** How many at once after a rest. */
  readonly burst: number;
}

/** Limits a rate: tokens come back evenly, as many as the burst are kept. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  /** `now` in ms. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Takes a token and gives 0; where there is none it gives the time until then, in ms. */
  take(now: number): number {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * perSecond) / 1000);
    this.#at = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1000) / perSecond);
    this.#tokens -= 1;
    return 0;
  }
}
