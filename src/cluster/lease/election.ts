import type { Log } from '../../contracts/log.ts';
import { ApiError, type KubernetesApi } from '../api/types.ts';
import { publish } from '../diagnostics.ts';
import { changedLease, type LeaseRecord, newLease } from './record.ts';
import { describeTrouble, LeaseStore } from './store.ts';
import { checkTiming, LEASE_TIMING, type LeaseClock, type LeaseTiming, systemLeaseClock } from './timing.ts';

export interface ElectionOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** Who we are: of this process alone, so that no other one, and no earlier one, is taken for us. */
  readonly identity: string;
  readonly log: Log;
  readonly timing?: LeaseTiming;
  readonly clock?: LeaseClock;
  /** The time of day, for people who read the Lease. */
  readonly date?: () => Date;
  /** From 0 to 1: spreads candidates out. */
  readonly random?: () => number;
}

/** The time in which we lead. */
interface Tenure {
  readonly term: number;
  /** The Lease as we wrote it last. */
  readonly lease: LeaseRecord;
  /** When that write was sent: others may have counted from then on. */
  readonly renewedAt: number;
  /** Takes back the end of the tenure. */
  readonly cancelEnd: () => void;
}

/** Of a pause, this share comes on top at most. */
const JITTER = 0.2;

/**
 * Leader election by a Lease (coordination.k8s.io/v1). Whoever replaces the Lease at the version that he read leads,
 * under a term that is higher than any before; he stops by himself where he could not renew it in time. A Lease has
 * expired when *we* saw no change of it for as long as it says: no clock of another machine is ever looked at.
 *
 * A process that was stopped can still act on what it believed before: so every write has to carry the term, and be
 * refused where a higher one is known.
 */
export class Election {
  readonly identity: string;
  readonly #options: ElectionOptions;
  readonly #timing: LeaseTiming;
  readonly #clock: LeaseClock;
  readonly #store: LeaseStore;
  readonly #listeners = new Set<() => void>();
  readonly #abort = new AbortController();
  #tenure: Tenure | undefined;
  /** The Lease as it was seen last, and when it was first seen like that. */
  #seen: { readonly lease: LeaseRecord; readonly at: number } | undefined;
  /** The least term that we may have: above all that others had. */
  #floor = 1;
  #running: Promise<void> | undefined;
  /** Ends the pause between two turns; undefined while there is none. */
  #endPause: (() => void) | undefined;
  /** The next pause is not to be. */
  #isHurried = false;
  #trouble: string | undefined;

  /** Throws RangeError for times that make no sense. */
  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#timing = options.timing ?? LEASE_TIMING;
    checkTiming(this.#timing);
    this.#clock = options.clock ?? systemLeaseClock;
    this.identity = options.identity;
    const timeout = this.#timing.renewDeadline / 2;
    this.#store = new LeaseStore(options.api, { namespace: options.namespace, name: options.name, timeout });
  }

  /** Our term while we lead, by the clock as it is now; else undefined. */
  get term(): number | undefined {
    const tenure = this.#tenure;
    if (!tenure || this.#clock.now() >= tenure.renewedAt + this.#timing.renewDeadline) return undefined;
    return tenure.term;
  }

  /** Who leads as far as we know; empty where nobody does. */
  get holder(): string {
    return this.#tenure ? this.identity : (this.#seen?.lease.holder ?? '');
  }

  /** What keeps us from taking part, for people. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Calls the listener when {@link term} or {@link holder} may have changed. The answer ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Becomes a candidate. More than once: no effect. */
  start(): void {
    if (this.#abort.signal.aborted || this.#running !== undefined) return;
    this.#running = this.#run();
    void this.#follow();
  }

  /** Asks for a term above `other`: the Lease is renewed with it, where it is still ours. */
  exceed(other: number): void {
    this.#floor = Math.max(this.#floor, other + 1);
    if (this.#tenure && this.#tenure.term < this.#floor) this.#hurry();
  }

  /** Stops leading at once, and gives the Lease back so that another one can begin. Never rejects. */
  async release(): Promise<void> {
    this.#abort.abort();
    this.#end();
    this.#hurry();
    if (this.#running === undefined) return;
    await this.#running;
    try {
      const lease = await this.#store.read();
      if (lease?.holder === this.identity)
        await this.#store.replace(changedLease(lease, { ...this.#spec(lease.term), holder: '' }));
    } catch (error) {
      const reason = describeTrouble(error, this.#store);
      this.#options.log.warn({ reason }, 'the lease was not given back: it has to run out');
    }
  }

  // --- turns ---

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await (this.#tenure ? this.#renew(this.#tenure) : this.#acquire());
        this.#report(undefined);
        await this.#pause(this.#pauseBeforeNext());
      } catch (error) {
        this.#report(describeTrouble(error, this.#store));
        // No word of the Lease shortens this: it may be of our own write, whose answer was lost.
        await this.#rest(this.#pauseAfter(error));
      }
    }
  }

  #pauseAfter(error: unknown): number {
    const { retryPeriod, renewDeadline } = this.#timing;
    const asked = error instanceof ApiError ? (error.retryAfter ?? 0) : 0;
    return Math.max(retryPeriod, Math.min(asked, renewDeadline / 2));
  }

  #pauseBeforeNext(): number {
    const { retryPeriod } = this.#timing;
    if (this.#tenure) return Math.max(0, this.#tenure.renewedAt + retryPeriod - this.#clock.now());
    const spread = 1 + JITTER * (this.#options.random ?? Math.random)();
    const left = this.#expiresIn();
    return spread * (left > 0 ? Math.min(left, retryPeriod) : retryPeriod);
  }

  /** Ends sooner where somebody calls for a turn. */
  #pause(ms: number): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    return new Promise(resolve => {
      const cancel = this.#clock.after(ms, () => this.#hurry());
      this.#endPause = () => {
        this.#endPause = undefined;
        this.#isHurried = false;
        cancel();
        resolve();
      };
      if (this.#isHurried) this.#endPause();
    });
  }

  /** The next turn is now, or right after the one that is under way. */
  #hurry(): void {
    this.#isHurried = true;
    this.#endPause?.();
  }

  /** Others' writes of the Lease are looked at when they happen: a hand-over is over within moments. */
  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    const changed = () => {
      if (!this.#tenure) this.#hurry();
    };
    while (!signal.aborted) {
      // What goes wrong here goes wrong for the looks, too, and they say so. Without a watch, they notice later.
      await this.#store.watch(changed, signal).catch(() => undefined);
      await this.#rest(this.#timing.retryPeriod);
    }
  }

  #rest(ms: number): Promise<void> {
    const { signal } = this.#abort;
    if (signal.aborted) return Promise.resolve();
    return new Promise(resolve => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }

  // --- a candidate ---

  async #acquire(): Promise<void> {
    const lease = await this.#store.read();
    if (this.#abort.signal.aborted) return;
    if (lease) this.#see(lease);
    // Our own name without a tenure: our answer was lost, or we were too late. Nobody else can have it.
    const isFree = !lease || lease.holder === '' || lease.holder === this.identity || this.#expiresIn() <= 0;
    if (isFree) await this.#take(lease);
  }

  async #take(lease: LeaseRecord | undefined): Promise<void> {
    const { namespace, name, date = () => new Date() } = this.#options;
    const term = Math.max(this.#floor, (lease?.term ?? 0) + 1);
    const spec = { ...this.#spec(term), acquired: date() };
    const sentAt = this.#clock.now();
    try {
      const taken = lease
        ? await this.#store.replace(changedLease(lease, spec))
        : await this.#store.create(newLease(namespace, name, spec));
      this.#begin(taken, sentAt);
    } catch (error) {
      // Somebody else was quicker: the next look tells who.
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    }
  }

  #see(lease: LeaseRecord): void {
    if (lease.holder !== this.identity) this.#floor = Math.max(this.#floor, lease.term + 1);
    if (this.#seen?.lease.resourceVersion === lease.resourceVersion) return;
    const isNews = this.#seen?.lease.holder !== lease.holder;
    this.#seen = { lease, at: this.#clock.now() };
    if (isNews) this.#tell();
  }

  /** In how many ms the Lease that we saw expires by our own clock. */
  #expiresIn(): number {
    if (!this.#seen) return 0;
    const { lease, at } = this.#seen;
    return at + (lease.duration ?? this.#timing.duration) - this.#clock.now();
  }

  // --- a leader ---

  async #renew(tenure: Tenure): Promise<void> {
    try {
      await this.#renewAt(tenure.lease);
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      if (status !== 409 && status !== 404) throw error;
      // The answer to an earlier renewal may have been lost; or the Lease is another's, or gone.
      const lease = await this.#store.read();
      if (lease?.holder === this.identity) await this.#renewAt(lease);
      else this.#lose(lease ? `${lease.holder || 'nobody'} holds it` : 'somebody deleted it');
    }
  }

  async #renewAt(lease: LeaseRecord): Promise<void> {
    if (!this.#tenure) return;
    const term = Math.max(this.#floor, lease.term, this.#tenure.term);
    const sentAt = this.#clock.now();
    this.#begin(await this.#store.replace(changedLease(lease, this.#spec(term))), sentAt);
  }

  /** The Lease says that it is ours, in answer to what we wrote at `sentAt`. */
  #begin(lease: LeaseRecord, sentAt: number): void {
    const end = sentAt + this.#timing.renewDeadline;
    const isLate = this.#clock.now() >= end;
    this.#see(lease);
    if (this.#abort.signal.aborted) return;
    if (isLate) {
      this.#lose('the answer came too late');
      return;
    }
    const before = this.#tenure;
    if (!before && lease.term < this.#floor) {
      // It ended meanwhile: every tenure has a term of its own.
      this.#hurry();
      return;
    }
    before?.cancelEnd();
    const cancelEnd = this.#clock.after(end - this.#clock.now(), () =>
      this.#lose('it was not renewed in time'),
    );
    this.#tenure = { term: lease.term, lease, renewedAt: sentAt, cancelEnd };
    // Word of our own writes is no news.
    this.#isHurried = lease.term < this.#floor;
    if (before?.term === lease.term) return;
    this.#options.log.info({ term: lease.term, identity: this.identity }, 'this one leads');
    this.#tell();
  }

  #lose(reason: string): void {
    if (!this.#tenure) return;
    this.#options.log.warn({ reason, term: this.#tenure.term }, 'the lease is lost: this one stands by');
    this.#end();
  }

  #end(): void {
    const tenure = this.#tenure;
    if (!tenure) return;
    tenure.cancelEnd();
    this.#floor = Math.max(this.#floor, tenure.term + 1);
    this.#tenure = undefined;
    this.#tell();
  }

  #spec(term: number) {
    const { date = () => new Date() } = this.#options;
    return { holder: this.identity, duration: this.#timing.duration, term, renewed: date() };
  }

  #report(trouble: string | undefined): void {
    if (trouble !== undefined && trouble !== this.#trouble)
      this.#options.log.warn({ reason: trouble }, 'no word on the lease');
    this.#trouble = trouble;
    if (trouble === undefined) this.#publish();
    else publish({ kind: 'lease-failed', reason: trouble });
  }

  #publish(): void {
    const term = this.#tenure?.term ?? this.#seen?.lease.term ?? 0;
    publish({ kind: 'lease', holds: this.term !== undefined, term });
  }

  #tell(): void {
    this.#publish();
    for (const listener of [...this.#listeners]) listener();
  }
}
