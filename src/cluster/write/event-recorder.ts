import { ApiError, type KubernetesApi } from '../api/types.ts';
import { publish } from '../diagnostics.ts';
import { messageOf } from '../facts/raw.ts';
import type { WriterOptions } from './annotation-writer.ts';
import { countOf, createEvent, type Happening, happeningId, patchEvent } from './event-body.ts';
import { WriteQueue, type WriteResult } from './write-queue.ts';

const RATE = { perSecond: 10, burst: 50 };
const CONCURRENCY = 2;
/** What goes on is said again after so long, in ms: Events live for an hour. */
const REPEAT_AFTER = 30 * 60_000;
/** Of more happenings at a time the rest has no Event. */
const MOST_STANDING = 2_000;
/** So many are remembered, those that stand included. */
const MOST_KNOWN = 10_000;
/** An Event's write leaves the queue with its answer, so that nothing has to confirm it. */
const NEVER = 2 ** 31 - 1;

export interface RecorderOptions extends WriterOptions {
  /** This process among those of its kind: `reportingInstance`. */
  readonly instance: string;
  /** The time of day. */
  readonly date: () => Date;
}

interface Known {
  readonly id: string;
  readonly happening: Happening;
  /** How often it has been said; 0: not yet. */
  count: number;
  /** When it was said, or tried to be, last. */
  at: number;
  stands: boolean;
}

/**
 * Tells what is wrong with objects by Events (events.k8s.io/v1) on them: once for the same words of the same object,
 * counted when it comes back or goes on. Bounded in rate and memory; what is over before its turn is not told.
 */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #api: KubernetesApi;
  readonly #known = new Map<string, Known>();
  readonly #queue: WriteQueue<Known>;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#api = options.api;
    const { mayWrite, clock, random, log, onDepth } = options;
    this.#queue = new WriteQueue<Known>({
      what: 'Events',
      ...{ mayWrite, clock, random, log, onDepth },
      rate: RATE,
      concurrency: CONCURRENCY,
      confirmWithin: NEVER,
      isSame: (a, b) => a === b,
      send: (known, signal) => this.#say(known, signal),
      onResult: (known, result) => this.#onResult(known, result),
    });
  }

  get depth(): number {
    return this.#queue.depth;
  }

  start(): void {
    this.#queue.start();
  }

  stop(): void {
    this.#queue.stop();
  }

  /** All that is wrong now; of the same one more than once, the first counts. To be called again from time to time, also where nothing has changed. */
  update(happenings: readonly Happening[]): void {
    const standing = new Set<string>();
    for (const happening of happenings.slice(0, MOST_STANDING)) {
      const id = happeningId(happening);
      if (standing.has(id)) continue;
      standing.add(id);
      this.#stand(id, happening);
    }
    for (const known of this.#known.values()) if (known.stands && !standing.has(known.id)) this.#end(known);
    this.#forget();
  }

  #stand(id: string, happening: Happening): void {
    const now = this.#options.clock.now();
    const known = this.#known.get(id);
    if (!known) {
      const made: Known = { id, happening, count: 0, at: now, stands: true };
      this.#known.set(id, made);
      this.#queue.set(id, made);
      publish({ kind: 'refused', reason: happening.reason });
    } else if (!known.stands || happening.isNew || now - known.at >= REPEAT_AFTER) {
      if (!known.stands || happening.isNew) publish({ kind: 'refused', reason: happening.reason });
      known.stands = true;
      known.at = now;
      this.#queue.set(id, known);
    }
  }

  #end(known: Known): void {
    known.stands = false;
    this.#queue.delete(known.id);
    if (known.count === 0) this.#known.delete(known.id);
  }

  /** Forgets what is over, the oldest first. */
  #forget(): void {
    for (const known of this.#known.values()) {
      if (this.#known.size <= MOST_KNOWN) return;
      if (!known.stands) this.#known.delete(known.id);
    }
  }

  async #say(known: Known, signal: AbortSignal): Promise<void> {
    const { happening, count } = known;
    const now = this.#options.date();
    if (count === 0) {
      await this.#create(known, signal);
      return;
    }
    try {
      await this.#api.request({ ...patchEvent(happening, count + 1, now), signal });
      known.count = count + 1;
    } catch (error) {
      if (!hasStatus(error, 404)) throw error;
      await this.#create(known, signal);
    }
  }

  async #create(known: Known, signal: AbortSignal): Promise<void> {
    const { instance, date } = this.#options;
    try {
      await this.#api.request({ ...createEvent(known.happening, instance, date()), signal });
      known.count = 1;
    } catch (error) {
      // Nobody will read it: the object goes with its namespace.
      if (hasStatus(error, 403) && /being terminated/.test(messageOf(error))) return;
      if (!hasStatus(error, 409)) throw error;
      // Said before: by an earlier leader, or by a request whose answer was lost.
      known.count = countOf(
        await this.#api.request({ ...patchEvent(known.happening, undefined, date()), signal }),
      );
    }
  }

  #onResult(known: Known, result: WriteResult): void {
    publish({ kind: 'written', resource: 'events', result });
    if (result === 'retried') return;
    known.at = this.#options.clock.now();
    this.#queue.delete(known.id);
  }
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}
