import type { Log } from '../../contracts/log.ts';
import { AccessError } from '../api/access.ts';
import { ApiError, type KubernetesApi } from '../api/types.ts';
import { publish } from '../diagnostics.ts';
import { FieldError } from '../facts/raw.ts';
import type { KubeObject, ObjectKey } from '../manifest-object.ts';
import { Backoff } from './backoff.ts';
import { pause, systemClock, type WatchClock } from './clock.ts';
import { endOf, needsList } from './failures.ts';
import { listPages } from './list.ts';
import {
  formatResource,
  nameOf,
  objectKey,
  type ReadObject,
  readObject,
  type WatchedResource,
} from './resource.ts';
import { type WatchEvent, watchFrom } from './stream.ts';

/** What a reflector tells. Nothing is told twice: the same version of an object only once. */
export interface ReflectorListener {
  /** The object is new or has changed. It may have been deleted and created again in between: the uid says so. */
  put(object: KubeObject): void;
  deleted(key: ObjectKey): void;
  /**
   * A list is complete: all objects have been told, and those that are gone. Told after each list, first and later.
   * `unreadable` says of each object in it that cannot be read why not; while there is any, none is told to be gone.
   */
  listed(unreadable: readonly string[]): void;
  /** A watch had an object that cannot be read, and why not. */
  unreadable?(reason: string): void;
}

export interface ReflectorOptions {
  readonly api: KubernetesApi;
  readonly resource: WatchedResource;
  readonly listener: ReflectorListener;
  readonly log?: Log;
  readonly clock?: WatchClock;
  /** Numbers from 0 up to 1. */
  readonly random?: () => number;
}

/** A watch that lived so long was a good one, also where it had no event; in ms. */
const GOOD_LIFE = 30_000;
/** One that the server ends sooner is a failure, though it ends in order: the next would end as soon. */
const SHORT_LIFE = 1000;

/**
 * Follows one resource of the API server: lists it, watches it, and goes on from the last version it has seen when the
 * watch ends or breaks; where the server has forgotten that version, or an object could not be read, it lists again and
 * tells the difference. Keeps of each object its key and version only.
 */
export class Reflector {
  readonly #api: KubernetesApi;
  readonly #resource: WatchedResource;
  readonly #name: string;
  readonly #listener: ReflectorListener;
  readonly #log: Log | undefined;
  readonly #clock: WatchClock;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #versions = new Map<string, string>();
  /** Where to watch from; undefined where a list is needed. */
  #version: string | undefined;
  /** Whether all could be read of the newest list and of what came after it. */
  #isWhole = true;
  #synced = false;

  constructor(options: ReflectorOptions) {
    this.#api = options.api;
    this.#resource = options.resource;
    this.#name = formatResource(options.resource);
    this.#listener = options.listener;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(this.#random);
  }

  /** Whether a list has been complete once. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Follows the resource until the signal says to stop, and resolves then. Rejects only with what a listener throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) this.#version = await this.#list(signal);
        await this.#watch(this.#version, signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const started = this.#clock.now();
    const seen = new Set<string>();
    const unreadable: string[] = [];
    const version = await listPages(this.#api, this.#resource, signal, item => {
      const read = readObject(this.#resource, item);
      if (typeof read === 'string') {
        unreadable.push(read);
        this.#warn(read);
        return;
      }
      seen.add(read.key);
      this.#put(read);
    });
    // What cannot be read may be any of those that are missing.
    this.#isWhole = unreadable.length === 0;
    if (this.#isWhole) for (const key of this.#versions.keys()) if (!seen.has(key)) this.#delete(key);
    this.#synced = true;
    const seconds = (this.#clock.now() - started) / 1000;
    this.#log?.debug({ resource: this.#name, objects: seen.size, version, seconds }, 'listed');
    publish({ kind: 'listed', resource: nameOf(this.#resource), objects: seen.size });
    this.#listener.listed(unreadable);
    return version;
  }

  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const resource = nameOf(this.#resource);
    const started = this.#clock.now();
    try {
      const options = { signal, clock: this.#clock, random: this.#random };
      await watchFrom(this.#api, this.#resource, version, options, event => {
        this.#backoff.reset();
        publish({ kind: 'watch-event', resource, type: event.type });
        this.#take(event);
      });
      publish({ kind: 'watch-ended', resource, reason: 'closed' });
    } catch (error) {
      if (!signal.aborted) publish({ kind: 'watch-ended', resource, reason: endOf(error) });
      throw error;
    } finally {
      // An object that can be read by now is not known to be one that could not.
      if (!this.#isWhole) this.#version = undefined;
      if (this.#clock.now() - started >= GOOD_LIFE) this.#backoff.reset();
    }
    if (this.#clock.now() - started < SHORT_LIFE) {
      throw new ApiError(`the server ended the watch of ${this.#name} at once`, { status: 0 });
    }
  }

  #take(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') {
      this.#version = event.version;
      return;
    }
    const read = readObject(this.#resource, event.value);
    if (typeof read === 'string') {
      this.#isWhole = false;
      this.#warn(read);
      this.#listener.unreadable?.(read);
      return;
    }
    if (event.type === 'DELETED') this.#delete(read.key);
    else this.#put(read);
    this.#version = read.version;
  }

  #put({ object, key, version }: ReadObject): void {
    if (this.#versions.get(key) === version) return;
    this.#versions.set(key, version);
    this.#listener.put(object);
  }

  #delete(key: string): void {
    if (this.#versions.delete(key)) this.#listener.deleted(objectKey(this.#resource, key));
  }

  #warn(reason: string): void {
    this.#log?.warn({ resource: this.#name, reason }, 'an object of the API server cannot be read');
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (!(error instanceof ApiError || error instanceof AccessError || error instanceof FieldError))
      throw error;
    if (needsList(error)) this.#version = undefined;
    const wait = this.#backoff.next(error instanceof ApiError ? error.retryAfter : undefined);
    const next = this.#version === undefined ? 'list' : 'watch';
    this.#log?.warn(
      { resource: this.#name, reason: error.message, next, wait },
      'cannot follow the API server',
    );
    await pause(wait, this.#clock, signal);
  }
}
