import type { Log } from '../../contracts/log.ts';
import { messageOf } from '../facts/raw.ts';
import { Backoff } from '../watch/backoff.ts';
import type { WatchClock } from '../watch/clock.ts';
import { failureOf } from './outcome.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';

export interface QueueOptions<W> {
  /** What is written, in the plural, for messages. */
  readonly what: string;
  /** Whether two wishes for one key say the same, though they may be made from different views of the object. */
  readonly isSame: (a: W, b: W) => boolean;
  /** Sends one write. Rejects with ApiError where that fails; the signal says that the answer is of no use any more. */
  readonly send: (wish: W, signal: AbortSignal) => Promise<void>;
  /** Asked before each write: false keeps everything where it is until the next {@link WriteQueue.start}. */
  readonly mayWrite: () => boolean;
  readonly clock: WatchClock;
  readonly random: () => number;
  readonly log: Log;
  readonly rate: Rate;
  /** How many requests are under way at once, at most. */
  readonly concurrency: number;
  /** A write that was done and whose effect nobody has seen is done again after so many ms. */
  readonly confirmWithin: number;
  /** Called when {@link WriteQueue.depth} may be another. */
  readonly onDepth: () => void;
  /** How a write has ended. The wish may be withdrawn here. */
  readonly onResult: (wish: W, result: WriteResult) => void;
}

export type WriteResult = 'done' | 'retried' | 'given-up';

/**
 * `ready` waits for its turn, `conflict` for a while, `done` for somebody to see its effect, `given-up` for a new wish.
 * `unseen` is done, too, but the object was seen without its effect since: as it was before, or as somebody made it after.
 */
type Phase = 'ready' | 'sending' | 'conflict' | 'done' | 'unseen' | 'given-up';

/** How long, in ms, what is `unseen` may still have been an old view. */
const OLD_VIEW = 1_000;

interface Entry<W> {
  readonly key: string;
  wish: W;
  phase: Phase;
  /** Made by its first conflict. */
  backoff: Backoff | undefined;
  cancel: (() => void) | undefined;
}

/** A write under way. */
interface Sent<W> {
  readonly entry: Entry<W>;
  /** The wish as it was when it was sent. */
  readonly wish: W;
  readonly abort: AbortController;
  readonly round: number;
}

/**
 * Writes wishes, one for each key: the newest counts, and one that is withdrawn is not written. Bounded in rate and in
 * requests under way. What the server cannot take now is tried again, later and later; what it will not take is given up
 * until the wish changes. A wish stays until it is withdrawn: success is what is seen, not what was answered.
 */
export class WriteQueue<W> {
  readonly #options: QueueOptions<W>;
  readonly #entries = new Map<string, Entry<W>>();
  /** In the order in which they became ready. */
  readonly #ready = new Set<Entry<W>>();
  readonly #bucket: TokenBucket;
  readonly #trouble: Backoff;
  #abort: AbortController | undefined;
  #sending = 0;
  #waiting = 0;
  /** Takes back the next look at the queue; undefined while there is none. */
  #cancelPump: (() => void) | undefined;
  /** What keeps everything waiting; empty: nothing. */
  #troubled = '';
  /** One more with each pause for all: what was sent before it does not prolong it, nor end it. */
  #round = 0;
  readonly #refusedFor = new Set<string>();

  constructor(options: QueueOptions<W>) {
    this.#options = options;
    this.#bucket = new TokenBucket(options.rate, options.clock.now());
    this.#trouble = new Backoff(options.random);
  }

  /** How many writes are still to be done; 0 while nothing may be written. */
  get depth(): number {
    return this.#abort ? this.#waiting : 0;
  }

  /** Begins to write, or goes on. */
  start(): void {
    if (this.#abort) return;
    this.#abort = new AbortController();
    this.#refusedFor.clear();
    this.#trouble.reset();
    for (const entry of this.#entries.values()) if (entry.phase !== 'sending') this.#makeReady(entry);
    this.#pumpSoon(0);
    this.#options.onDepth();
  }

  /** Nothing more is written. What is under way is broken off: it may have been carried out. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#cancelPump?.();
    this.#cancelPump = undefined;
    for (const entry of this.#entries.values()) this.#cancelTimer(entry);
    this.#options.onDepth();
  }

  /**
   * The newest wish for a key. One that says the same as the one before takes its place for when that has to be written
   * again; after a conflict that is now.
   */
  set(key: string, wish: W): void {
    const entry = this.#entries.get(key);
    if (!entry) {
      const made: Entry<W> = { key, wish, phase: 'ready', backoff: undefined, cancel: undefined };
      this.#entries.set(key, made);
      this.#waiting++;
      this.#makeReady(made);
    } else {
      const isNews = !this.#options.isSame(entry.wish, wish);
      entry.wish = wish;
      if (isNews) entry.backoff = undefined;
      if (entry.phase === 'conflict' || (isNews && entry.phase !== 'sending')) this.#makeReady(entry);
      else if (entry.phase === 'done') this.#rest(entry, 'unseen', OLD_VIEW);
    }
    this.#pumpSoon(0);
    this.#options.onDepth();
  }

  /** Withdraws the wish for a key: its effect is seen, or it makes no sense any more. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#ready.delete(entry);
    this.#cancelTimer(entry);
    if (isWaiting(entry)) this.#waiting--;
    this.#options.onDepth();
  }

  #makeReady(entry: Entry<W>): void {
    this.#cancelTimer(entry);
    this.#setPhase(entry, 'ready');
    this.#ready.add(entry);
  }

  #setPhase(entry: Entry<W>, phase: Phase): void {
    const before = isWaiting(entry);
    entry.phase = phase;
    if (this.#entries.get(entry.key) === entry) this.#waiting += Number(isWaiting(entry)) - Number(before);
  }

  #cancelTimer(entry: Entry<W>): void {
    entry.cancel?.();
    entry.cancel = undefined;
  }

  #pumpSoon(ms: number): void {
    if (!this.#abort || this.#cancelPump) return;
    this.#cancelPump = this.#options.clock.after(ms, () => {
      this.#cancelPump = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    const { concurrency, clock, mayWrite } = this.#options;
    for (const entry of this.#ready) {
      const abort = this.#abort;
      if (!abort || this.#cancelPump || this.#sending >= concurrency || !mayWrite()) return;
      const wait = this.#bucket.take(clock.now());
      if (wait > 0) {
        this.#pumpSoon(wait);
        return;
      }
      this.#ready.delete(entry);
      void this.#send(entry, abort);
    }
  }

  async #send(entry: Entry<W>, abort: AbortController): Promise<void> {
    const sent: Sent<W> = { entry, wish: entry.wish, abort, round: this.#round };
    this.#setPhase(entry, 'sending');
    this.#sending++;
    let error: unknown;
    try {
      await this.#options.send(sent.wish, abort.signal);
    } catch (cause) {
      error = cause;
    }
    this.#sending--;
    if (this.#entries.get(entry.key) === entry) {
      if (abort === this.#abort) this.#options.onResult(sent.wish, this.#judge(sent, error));
      else this.#makeReady(entry);
    }
    this.#pumpSoon(0);
    this.#options.onDepth();
  }

  #judge(sent: Sent<W>, error: unknown): WriteResult {
    const { entry } = sent;
    const failure = error === undefined ? undefined : failureOf(error);
    if (failure?.kind === 'later') {
      this.#onTrouble(sent, messageOf(error), failure.retryAfter);
      this.#makeReady(entry);
      return 'retried';
    }
    this.#onAnswer(sent);
    const isNewest = this.#options.isSame(entry.wish, sent.wish);
    if (!isNewest) this.#makeReady(entry);
    if (!failure) {
      entry.backoff = undefined;
      if (isNewest) this.#rest(entry, 'done', this.#options.confirmWithin);
      return 'done';
    }
    if (failure.kind === 'again') {
      entry.backoff ??= new Backoff(this.#options.random);
      if (entry.wish === sent.wish) this.#rest(entry, 'conflict', entry.backoff.next());
      else this.#makeReady(entry);
      return 'retried';
    }
    if (isNewest) this.#setPhase(entry, 'given-up');
    if (failure.kind === 'refused') this.#tellRefusal(entry.key, messageOf(error));
    return 'given-up';
  }

  #rest(entry: Entry<W>, phase: Phase, ms: number): void {
    this.#cancelTimer(entry);
    this.#setPhase(entry, phase);
    entry.cancel = this.#options.clock.after(ms, () => {
      this.#makeReady(entry);
      this.#pumpSoon(0);
      this.#options.onDepth();
    });
  }

  /** All of it waits: whatever one request ran into, the next one would. */
  #onTrouble({ round }: Sent<W>, reason: string, retryAfter: number): void {
    if (round !== this.#round) return;
    this.#round++;
    this.#cancelPump?.();
    this.#cancelPump = undefined;
    this.#pumpSoon(this.#trouble.next(retryAfter));
    if (this.#troubled === reason) return;
    this.#troubled = reason;
    this.#options.log.warn({ reason, waiting: this.#waiting }, `${this.#options.what} cannot be written now`);
  }

  #onAnswer({ round }: Sent<W>): void {
    if (round !== this.#round) return;
    this.#trouble.reset();
    if (this.#troubled === '') return;
    this.#troubled = '';
    this.#options.log.info({ waiting: this.#waiting }, `${this.#options.what} can be written again`);
  }

  /** Once for each reason: where a right is missing, it is missing for all objects. */
  #tellRefusal(object: string, reason: string): void {
    const kind = reason.replaceAll(/"[^"]*"/g, '""');
    if (this.#refusedFor.has(kind) || this.#refusedFor.size >= MOST_REASONS) return;
    this.#refusedFor.add(kind);
    this.#options.log.error({ object, reason }, `the API server refuses ${this.#options.what}; given up`);
  }
}

const MOST_REASONS = 20;

function isWaiting({ phase }: { readonly phase: Phase }): boolean {
  return phase === 'ready' || phase === 'sending' || phase === 'conflict';
}
