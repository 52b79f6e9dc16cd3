import type { Log } from '../contracts/log.ts';
import { formatTerm, HIGHEST_TERM, type SeenStamp, TermStamp } from '../northbound/index.ts';
import type { Operation } from '../ovsdb-client/index.ts';
import { type Clock, type Database, type Fence, systemClock } from '../ovsdb-state/index.ts';

/** What gives the right to lead, and a number that grows with every leader. */
export interface Leadership {
  readonly identity: string;
  /** Our term while we lead, at this very moment. */
  readonly term: number | undefined;
  onChange(listener: () => void): () => void;
  /** Asks for a term above another one. */
  exceed(term: number): void;
}

/** The pause, in ms, between two stamps: after one that was not taken, or that was undone. */
const RETRY = 500;

export interface TermFenceOptions {
  readonly leadership: Leadership;
  /** The database itself, with NB_Global among the tables that it monitors. */
  readonly database: Database;
  readonly installation: string;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * The right to write to the northbound: we lead, and the northbound itself carries the stamp of our term. Every
 * transaction is refused whole there as soon as it carries another one. A stamp is replaced only by a higher term, in a
 * transaction that fails where another stamp has come meanwhile.
 */
export class TermFence implements Fence {
  readonly #options: TermFenceOptions;
  readonly #stamp: TermStamp;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  readonly #stops: readonly (() => void)[];
  #told = false;
  #cancelStep: (() => void) | undefined;
  #isSending = false;
  /** No other stamp is sent before. */
  #notBefore = 0;
  #said: string | undefined;

  constructor(options: TermFenceOptions) {
    const { leadership, database } = options;
    this.#options = options;
    this.#stamp = new TermStamp(options.installation);
    this.#clock = options.clock ?? systemClock;
    this.#stops = [
      leadership.onChange(() => this.#onChange()),
      database.onState(() => this.#onChange()),
      database.onDelta(deltas => {
        if (deltas.some(({ table }) => table === 'NB_Global')) this.#onChange();
      }),
    ];
    this.#onChange();
  }

  /** The term under which we may write; undefined where we may not. */
  get term(): number | undefined {
    const { leadership } = this.#options;
    const { term } = leadership;
    if (term === undefined || this.#seen()?.text !== this.#text(term)) return undefined;
    return term;
  }

  /** What keeps the northbound from carrying our term, for people. */
  get trouble(): string | undefined {
    return this.#said;
  }

  get held(): boolean {
    return this.term !== undefined;
  }

  get operations(): readonly Operation[] {
    const { term } = this;
    if (term === undefined) throw new Error('there is no term to check');
    return [this.#stamp.check(this.#text(term))];
  }

  /**
   * Calls the listener when {@link term} may have changed: at once where it is lost, and on a turn of its own where it is
   * got, so that everybody has seen by then what the database had before.
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#cancelStep?.();
    this.#listeners.clear();
  }

  #onChange(): void {
    if (this.#told && !this.held) this.#tell();
    this.#stepAfter(0);
  }

  #stepAfter(ms: number): void {
    this.#cancelStep?.();
    this.#cancelStep = this.#clock.after(ms, () => {
      this.#cancelStep = undefined;
      this.#step();
    });
  }

  #step(): void {
    const { leadership, database } = this.#options;
    if (this.held !== this.#told) this.#tell();
    const { term } = leadership;
    if (term === undefined || this.held || this.#isSending || database.state !== 'ready') return;
    const seen = this.#seen();
    if (!seen) {
      this.#say(
        'info',
        'the northbound has no NB_Global yet, which ovn-northd makes: nothing is written before',
      );
    } else if (seen.term && seen.term.number >= HIGHEST_TERM) {
      this.#say('error', this.#describeDeadEnd(seen));
    } else if (seen.term && seen.term.number >= term) {
      leadership.exceed(seen.term.number);
    } else if (this.#clock.now() < this.#notBefore) {
      this.#stepAfter(this.#notBefore - this.#clock.now());
    } else {
      void this.#replace(seen, term);
    }
  }

  async #replace(seen: SeenStamp, term: number): Promise<void> {
    const { database, log } = this.#options;
    const text = this.#text(term);
    if (seen.text !== undefined && !seen.term)
      log.warn(
        { key: this.#stamp.key, found: seen.text },
        'the term in NB_Global makes no sense: it is put right',
      );
    this.#isSending = true;
    this.#notBefore = this.#clock.now() + RETRY;
    try {
      await database.transact(this.#stamp.replace(seen, text));
      this.#said = undefined;
      log.info({ term: text, before: seen.text ?? '' }, 'the northbound carries our term');
    } catch (error) {
      log.debug({ error }, 'the term was not taken by the northbound');
    }
    this.#isSending = false;
    this.#stepAfter(0);
  }

  #describeDeadEnd({ text }: SeenStamp): string {
    const { key } = this.#stamp;
    return `NB_Global says ${key}=${text}, and no Lease can go beyond that: remove it by ovn-nbctl remove NB_Global . external_ids ${key}`;
  }

  #seen(): SeenStamp | undefined {
    return this.#stamp.read(this.#options.database.rows('NB_Global'));
  }

  #text(number: number): string {
    return formatTerm({ number, identity: this.#options.leadership.identity });
  }

  #say(level: 'info' | 'error', message: string): void {
    if (this.#said !== message) this.#options.log[level]({}, message);
    this.#said = message;
  }

  #tell(): void {
    const { held } = this;
    this.#told = held;
    for (const listener of [...this.#listeners]) listener();
  }
}
