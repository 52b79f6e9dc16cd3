import { ApiError, type KubernetesApi } from '../api/types.ts';
import { isRaw, objectAt, type Raw, textOf } from '../facts/raw.ts';
import type { WatchClock } from './clock.ts';
import { errorOfStatus, SILENT } from './failures.ts';
import { LineSplitter, LineTooLong } from './lines.ts';
import { selectorsOf, type WatchedResource } from './resource.ts';

/** An event of a watch; a bookmark tells only that time goes on. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly value: unknown }
  | { readonly type: 'BOOKMARK'; readonly version: string };

/** How long the server may let a watch live, in seconds: at random in between, so that not all end at once. */
const SHORTEST_LIFE = 300;
const LONGEST_LIFE = 600;
/**
 * A connection on which nothing came for so many ms is dead. Where nothing else happens the server sends a bookmark each
 * minute, as we ask it to, but is free to leave one out, and 1.36 sometimes leaves out the first; so it may be late by
 * one and a half. A server that sends none at all costs one request in that time.
 */
const SILENCE = 150_000;
/** etcd takes objects of 1.5 MB; as JSON they are larger, never so much. */
const LONGEST_LINE = 32 * 1024 * 1024;

/**
 * Watches the resource from a version on. Resolves when the server ends the watch in order. Rejects with ApiError: where
 * it cannot be had or breaks, where nothing comes any more, and as an ERROR event says.
 */
export async function watchFrom(
  api: KubernetesApi,
  resource: WatchedResource,
  version: string,
  options: { readonly signal: AbortSignal; readonly clock: WatchClock; readonly random: () => number },
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  const { signal, clock, random } = options;
  const life = SHORTEST_LIFE + Math.floor(random() * (LONGEST_LIFE - SHORTEST_LIFE));
  const silence = new Silence(clock, signal);
  try {
    const chunks = await api.stream({
      method: 'GET',
      path: resource.path,
      query: {
        ...selectorsOf(resource),
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: version,
        timeoutSeconds: String(life),
      },
      signal: silence.signal,
    });
    const lines = new LineSplitter(LONGEST_LINE);
    for await (const chunk of chunks) {
      silence.heard();
      lines.push(chunk, line => onEvent(eventOf(line)));
    }
  } catch (error) {
    if (error instanceof LineTooLong)
      throw new ApiError(`the watch makes no sense: ${error.message}`, { status: 410 });
    throw error;
  } finally {
    silence.end();
  }
}

function eventOf(line: string): WatchEvent {
  const event = parse(line);
  const { type, object } = event;
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, value: object };
    case 'BOOKMARK': {
      const version = isRaw(object)
        ? textOf(objectAt(object, 'metadata'), 'resourceVersion', 'metadata')
        : undefined;
      if (version !== undefined) return { type, version };
      break;
    }
    case 'ERROR':
      throw errorOfStatus(isRaw(object) ? object : {});
  }
  throw nonsense(line);
}

function parse(line: string): Raw {
  try {
    const event: unknown = JSON.parse(line);
    if (isRaw(event)) return event;
  } catch {
    // Said below.
  }
  throw nonsense(line);
}

function nonsense(line: string): ApiError {
  return new ApiError(`the watch makes no sense: ${JSON.stringify(line.slice(0, 80))} is no event`, {
    status: 0,
  });
}

/** Ends the watch by its signal when nothing was heard for too long; ends with the signal that it is given, too. */
class Silence {
  readonly #clock: WatchClock;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = () => this.#controller.abort(this.#outer.reason);
  #heardAt: number;
  #cancel: () => void;

  constructor(clock: WatchClock, outer: AbortSignal) {
    this.#clock = clock;
    this.#outer = outer;
    this.#heardAt = clock.now();
    this.#cancel = clock.after(SILENCE, () => this.#judge());
    outer.addEventListener('abort', this.#onAbort);
    if (outer.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  end(): void {
    this.#cancel();
    this.#outer.removeEventListener('abort', this.#onAbort);
  }

  #judge(): void {
    const left = this.#heardAt + SILENCE - this.#clock.now();
    if (left > 0) {
      this.#cancel = this.#clock.after(left, () => this.#judge());
      return;
    }
    const message = `nothing came on the watch for ${SILENCE / 1000} s: the connection is taken for dead`;
    this.#controller.abort(new ApiError(message, { status: 0, reason: SILENT }));
  }
}
