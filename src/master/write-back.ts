import type { KubernetesApi } from '../cluster/api/types.ts';
import { publish } from '../cluster/diagnostics.ts';
import { systemClock, type WatchClock } from '../cluster/watch/clock.ts';
import { AnnotationWriter, EventRecorder, type Happening } from '../cluster/write/index.ts';
import type { Log } from '../contracts/log.ts';
import type { ObjectProblem } from './translation.ts';
import type { ObjectWrite } from './write-wishes.ts';

/** How long problems are gathered before they are told, in ms: many a one is over by then. */
const TELL_AFTER = 1_000;
/** Problems are looked at again after so long, in ms, also where nothing has changed. */
const TELL_AGAIN = 5 * 60_000;

/** What there is to tell of objects. */
export interface ObjectNews {
  takeWrites(): readonly ObjectWrite[];
  /** What is wrong, or was since the last call. */
  takeProblems(): readonly ObjectProblem[];
}

export interface WriteBackOptions {
  readonly api: KubernetesApi;
  readonly objects: ObjectNews;
  /** This process among the masters: who an Event is from. */
  readonly instance: string;
  /** Whether this process leads at this very moment, by the clock: asked before each write. */
  readonly mayWrite: () => boolean;
  /** Called when {@link WriteBack.unwritten} may be another. */
  readonly onDepth?: () => void;
  readonly log: Log;
  readonly clock?: WatchClock;
  readonly random?: () => number;
  readonly date?: () => Date;
}

/** Tells the API server what was given to its objects, and what is wrong with them, while this master leads. */
export class WriteBack {
  readonly #options: WriteBackOptions;
  readonly #clock: WatchClock;
  readonly #annotations: AnnotationWriter;
  readonly #events: EventRecorder;
  #leads = false;
  #cancelTell: (() => void) | undefined;
  #tellAt = 0;

  constructor(options: WriteBackOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const common = {
      api: options.api,
      mayWrite: options.mayWrite,
      clock: this.#clock,
      random: options.random ?? Math.random,
      log: options.log,
      onDepth: () => this.#publishDepth(),
    };
    this.#annotations = new AnnotationWriter(common);
    const date = options.date ?? (() => new Date());
    this.#events = new EventRecorder({ ...common, instance: options.instance, date });
  }

  /** How many objects still lack annotations; 0 while another master leads. */
  get unwritten(): number {
    return this.#annotations.depth;
  }

  /** This master leads from now on. */
  start(): void {
    if (this.#leads) return;
    this.#leads = true;
    this.#annotations.start();
    this.#events.start();
    this.take();
  }

  /** Another one leads, or nobody does: nothing more is written. */
  stop(): void {
    if (!this.#leads) return;
    this.#leads = false;
    this.#cancelTell?.();
    this.#cancelTell = undefined;
    this.#annotations.stop();
    this.#events.stop();
  }

  /** To be called whenever objects, allocations or rows may have changed. */
  take(): void {
    for (const { wish, ...object } of this.#options.objects.takeWrites()) {
      if (wish) this.#annotations.set({ ...object, ...wish });
      else this.#annotations.delete(object);
    }
    if (this.#leads) this.#tellWithin(TELL_AFTER);
  }

  #tellWithin(ms: number): void {
    const at = this.#clock.now() + ms;
    if (this.#cancelTell && this.#tellAt <= at) return;
    this.#cancelTell?.();
    this.#tellAt = at;
    this.#cancelTell = this.#clock.after(ms, () => {
      this.#cancelTell = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    this.#events.update(this.#options.objects.takeProblems().map(happeningOf));
    this.#tellWithin(TELL_AGAIN);
  }

  #publishDepth(): void {
    publish({ kind: 'write-queue', depth: this.#annotations.depth + this.#events.depth });
    this.#options.onDepth?.();
  }
}

function happeningOf({ target, why, reason, isNew }: ObjectProblem): Happening {
  return { ...target, reason: why, note: reason, isNew: isNew ?? false };
}
