import { statSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import type { Log } from '../contracts/log.ts';
import { messageOf } from './facts/raw.ts';
import { rankOf, type Sightings, sightManifests, tidyPath } from './manifest-files.ts';
import type { KubeObject } from './manifest-object.ts';
import { ManifestReader } from './manifest-reader.ts';
import { RestingChanges } from './manifest-rest.ts';
import type { ObjectSource, SourceChange, SourceStatus } from './source.ts';

export type { KubeObject, ObjectKey } from './manifest-object.ts';

/** All objects. */
export interface ManifestSnapshot extends SourceStatus {
  readonly objects: readonly KubeObject[];
}

/** The paths that were given cannot be used. The message names the path. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

/** Time in ms, and a call in the future. */
export interface ManifestClock {
  now(): number;
  /** Calls `action` after `ms`; the result takes it back. */
  after(ms: number, action: () => void): () => void;
}

/** Where manifests come from. */
export interface ManifestSourceOptions {
  /** Files and folders, `-` for standard input. */
  readonly paths: readonly string[];
  readonly log?: Log;
  readonly clock?: ManifestClock;
  /** What `-` stands for; by default the process's standard input. */
  readonly stdin?: () => Promise<Uint8Array>;
}

/** The pauses between looks at the files, in ms: never shorter, never longer. */
const INTERVAL = 100;
const LONGEST_INTERVAL = 2000;
/** In between, a pause is so many times as long as the look: so looking takes little of the time, more where it matters. */
const IDLE_SHARE = 20;
const BUSY_SHARE = 1;
/** How often one reading starts over because a file is being written meanwhile. */
const ATTEMPTS = 5;

const systemClock: ManifestClock = {
  // Steady, and comparable with the times of files.
  now: () => performance.timeOrigin + performance.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Files and folders of manifests as a source of Kubernetes objects. It polls: notifications of the file system miss the
 * targets of links and network file systems.
 */
export class ManifestSource implements ObjectSource {
  readonly #paths: readonly string[];
  readonly #log: Log | undefined;
  readonly #clock: ManifestClock;
  readonly #stdin: () => Promise<Uint8Array>;

  constructor(options: ManifestSourceOptions) {
    this.#paths = [...new Set(options.paths.map(tidyPath))];
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#stdin = options.stdin ?? (() => buffer(process.stdin));
  }

  /** Reads everything once, as it is now. Rejects with {@link ManifestError} where a given path does not exist. */
  async read(): Promise<ManifestSnapshot> {
    this.#checkPaths();
    const reader = new ManifestReader();
    for (let attempt = 1; ; attempt += 1) {
      const sightings = await sightManifests(this.#paths);
      if (await reader.take(reader.differing(sightings), sightings, attempt < ATTEMPTS)) break;
    }
    const input = this.#paths.indexOf('-');
    if (input >= 0) await reader.takeText('standard input', rankOf(input, '-'), await this.#stdin());
    return { ...statusOf(reader, 1), objects: reader.objects() };
  }

  /**
   * Reads everything and goes on watching. The listener is never called before this returns, and no more after the
   * function that it returns was called. Throws {@link ManifestError} where a given path does not exist.
   */
  watch(listener: (change: SourceChange) => void): () => void {
    if (this.#paths.includes('-'))
      throw new ManifestError('standard input (-) cannot be watched: give a folder');
    this.#checkPaths();
    const watch = new Watch(this.#paths, this.#clock, this.#log, listener);
    watch.start();
    return () => watch.stop();
  }

  #checkPaths(): void {
    for (const given of this.#paths) {
      if (given === '-') continue;
      try {
        statSync(given);
      } catch (error) {
        throw new ManifestError(`cannot read the manifests ${given}: ${messageOf(error)}`, { cause: error });
      }
    }
  }
}

/** One {@link ManifestSource.watch}: looks, waits until what it sees rests, takes it, tells, looks again. */
class Watch {
  readonly #paths: readonly string[];
  readonly #clock: ManifestClock;
  readonly #log: Log | undefined;
  readonly #listener: (change: SourceChange) => void;
  readonly #reader = new ManifestReader();
  readonly #changes = new RestingChanges();
  #generation = 0;
  #stopped = false;
  #cancel: () => void = () => {};

  constructor(
    paths: readonly string[],
    clock: ManifestClock,
    log: Log | undefined,
    listener: (change: SourceChange) => void,
  ) {
    this.#paths = paths;
    this.#clock = clock;
    this.#log = log;
    this.#listener = listener;
  }

  start(): void {
    this.#lookAfter(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #lookAfter(ms: number): void {
    // A failure in here is a mistake of ours: it ends the process as an unhandled rejection, rather than go unheard.
    this.#cancel = this.#clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    const started = this.#clock.now();
    const sightings = await sightManifests(this.#paths);
    const now = this.#clock.now();
    this.#changes.note(this.#reader.differing(sightings), sightings, now);
    const due = this.#changes.due(now);
    if (due !== undefined) await this.#take(due.paths, sightings, !due.overdue);
    const share = this.#changes.pending ? BUSY_SHARE : IDLE_SHARE;
    const pause = Math.min(share * (now - started), LONGEST_INTERVAL);
    if (!this.#stopped) this.#lookAfter(Math.max(INTERVAL, pause));
  }

  async #take(paths: readonly string[], sightings: Sightings, steady: boolean): Promise<void> {
    const taken = await this.#reader.take(paths, sightings, steady);
    if (taken === undefined || this.#stopped) return;
    this.#changes.forget(paths);
    const first = this.#generation === 0;
    if (!first && taken.changedFiles === 0) return;
    this.#generation += first ? 1 : taken.changedFiles;
    const status = statusOf(this.#reader, this.#generation);
    const { put, deleted } = taken;
    this.#log?.debug(
      { generation: status.generation, put: put.length, deleted: deleted.length, synced: status.synced },
      'manifests read',
    );
    this.#listener({ ...status, put, deleted });
  }
}

function statusOf(reader: ManifestReader, generation: number): SourceStatus {
  return { generation, problems: reader.problems(), synced: reader.synced };
}
