import type { Limiter } from '../processes/limiter.ts';
import type { PodMaker } from './pod-maker.ts';
import type { PodAttachment, PodRecord } from './pod-record.ts';
import type { PodWish } from './pod-wish.ts';
import type { PodProgress } from './runner-status.ts';

/** A failed step is tried again after this many ms, twice as long each time. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8_000;

/** What all lanes share. */
export interface LaneTools {
  readonly maker: Pick<PodMaker, 'make' | 'listen' | 'remove'>;
  /** Whether all that a pod declares is answered. */
  readonly responding: (record: PodRecord) => boolean;
  /** Bounds what happens on a node at once: one that hangs does not hold up the others. */
  readonly limiterOf: (node: string) => Limiter;
  /** Something about {@link PodLane.progress} may have changed. */
  readonly changed: () => void;
  readonly failed: (pod: string, error: unknown) => void;
}

/**
 * Brings the pods of one name to what is wanted of that name: an old instance goes before a new one comes. One step at a
 * time; a step that fails is tried again until it succeeds or is no longer wanted.
 */
export class PodLane {
  readonly #title: string;
  readonly #tools: LaneTools;
  #records: readonly PodRecord[];
  #wish: PodWish | undefined;
  #running = false;
  #stopped = false;
  #pause = FIRST_PAUSE;
  #problem: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  #abort = new AbortController();

  constructor(title: string, records: readonly PodRecord[], tools: LaneTools) {
    this.#title = title;
    this.#records = records;
    this.#tools = tools;
  }

  /** undefined wants the pod away. */
  want(wish: PodWish | undefined): void {
    if (wish?.id !== this.#wish?.id) {
      this.#abort.abort();
      this.#abort = new AbortController();
      this.#pause = FIRST_PAUSE;
      this.#problem = undefined;
    }
    this.#wish = wish;
    this.#wake();
  }

  /** Takes no further step. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#abort.abort();
  }

  /** undefined where nothing is there and nothing is wanted. */
  progress(): PodProgress | undefined {
    const pod = this.#wish ?? this.#records[0];
    if (!pod) return undefined;
    const { namespace, name, node } = pod;
    const state = this.#wish === undefined ? 'leaving' : this.#isDone() ? 'ready' : 'waiting';
    const problem = state === 'ready' || this.#problem === undefined ? {} : { problem: this.#problem };
    return { namespace, name, node, state, ...problem };
  }

  /** What the pod that is wanted has; undefined where it has nothing yet. */
  attachment(): PodAttachment | undefined {
    return this.#records.find(({ id }) => id === this.#wish?.id)?.attachment;
  }

  #wake(): void {
    clearTimeout(this.#retry);
    if (!this.#running && !this.#stopped) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let signal = this.#abort.signal;
    try {
      while (!this.#stopped && !this.#isDone()) {
        await this.#limiter().run(() => {
          signal = this.#abort.signal;
          return this.#step(signal);
        });
      }
      this.#pause = FIRST_PAUSE;
      this.#problem = undefined;
    } catch (error) {
      this.#fail(error, signal.aborted);
    } finally {
      this.#running = false;
      this.#tools.changed();
    }
  }

  /** That of the node where the next step is taken. */
  #limiter(): Limiter {
    const pod = this.#stale() ?? this.#wish;
    return this.#tools.limiterOf(pod?.node ?? '');
  }

  #stale(): PodRecord | undefined {
    return this.#records.find(record => record.id !== this.#wish?.id || !record.attachment);
  }

  #isDone(): boolean {
    const [record, ...others] = this.#records;
    if (!this.#wish) return record === undefined;
    if (!record || others.length > 0 || record.id !== this.#wish.id || !record.attachment) return false;
    return samePorts(record, this.#wish) && this.#tools.responding(record);
  }

  async #step(signal: AbortSignal): Promise<void> {
    // Waiting for the turn takes time; what was wanted then may not be wanted now.
    if (this.#stopped || this.#isDone()) return;
    const wish = this.#wish;
    const stale = this.#stale();
    if (stale) {
      await this.#tools.maker.remove(stale);
      this.#records = this.#records.filter(record => record !== stale);
      return;
    }
    const note = (record: PodRecord) => {
      this.#records = [...this.#records.filter(({ id }) => id !== record.id), record];
      this.#tools.changed();
    };
    const [record] = this.#records;
    if (record && wish) await this.#tools.maker.listen(record, wish.ports, note);
    else if (wish) await this.#tools.maker.make(wish, signal, note);
  }

  /** A step that was taken back has not failed: what is wanted now comes next. */
  #fail(error: unknown, aborted: boolean): void {
    if (this.#stopped) return;
    if (!aborted) {
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#tools.failed(this.#title, error);
    }
    this.#retry = setTimeout(() => this.#wake(), aborted ? 0 : this.#pause);
    if (!aborted) this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }
}

function samePorts(record: PodRecord, wish: PodWish): boolean {
  return record.ports.join() === wish.ports.join();
}
