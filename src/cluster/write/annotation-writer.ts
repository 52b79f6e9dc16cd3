import type { Log } from '../../contracts/log.ts';
import type { ApiRequest, KubernetesApi } from '../api/types.ts';
import { publish } from '../diagnostics.ts';
import type { WatchClock } from '../watch/clock.ts';
import { WriteQueue } from './write-queue.ts';

/** Who we are to the API server's management of fields. */
export const FIELD_MANAGER = 'kube-northbound';

/** Some 300 pods a second: more than a scheduler binds. */
const RATE = { perSecond: 300, burst: 600 };
const CONCURRENCY = 20;
/** How long the watch may take to show what was written, in ms, before it is written again. */
const CONFIRM_WITHIN = 30_000;

/** What an object's annotations are to be. */
export interface AnnotationWrite {
  readonly kind: 'Node' | 'Pod';
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** The version that it must still have, so that nothing is lost that others wrote into the same annotation. */
  readonly version: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface WriterOptions {
  readonly api: KubernetesApi;
  /** Whether this process leads at this very moment. */
  readonly mayWrite: () => boolean;
  readonly clock: WatchClock;
  readonly random: () => number;
  readonly log: Log;
  readonly onDepth: () => void;
}

/** Keeps annotations of Nodes and Pods as they are wished. Only the keys that are named are touched. */
export class AnnotationWriter {
  readonly #queue: WriteQueue<AnnotationWrite>;

  constructor({ api, ...options }: WriterOptions) {
    this.#queue = new WriteQueue({
      ...options,
      what: 'annotations',
      isSame,
      rate: RATE,
      concurrency: CONCURRENCY,
      confirmWithin: CONFIRM_WITHIN,
      send: async (write, signal) => {
        await api.request({ ...annotationPatch(write), signal });
      },
      onResult: ({ kind }, result) => publish({ kind: 'written', resource: resourceOf(kind), result }),
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

  /** What the object is to show. Call it anew for each version of the object. */
  set(write: AnnotationWrite): void {
    this.#queue.set(keyOf(write), write);
  }

  /** The object shows what it is to show, or is not there any more. */
  delete(object: Pick<AnnotationWrite, 'kind' | 'namespace' | 'name'>): void {
    this.#queue.delete(keyOf(object));
  }
}

/**
 * A merge patch (RFC 7386) of the annotations alone. The uid in it makes the server refuse it for a successor of the
 * same name; the version, for an object that has changed since it was read. It goes by way of `status`, for which a smaller right is enough.
 */
export function annotationPatch(write: AnnotationWrite): ApiRequest {
  const { kind, namespace, name, uid, version, annotations } = write;
  const place = kind === 'Node' ? 'nodes' : `namespaces/${namespace}/pods`;
  return {
    method: 'PATCH',
    path: `/api/v1/${place}/${name}/status`,
    query: { fieldManager: FIELD_MANAGER },
    contentType: 'application/merge-patch+json',
    body: { metadata: { uid, ...(version !== undefined && { resourceVersion: version }), annotations } },
  };
}

function keyOf({ kind, namespace, name }: Pick<AnnotationWrite, 'kind' | 'namespace' | 'name'>): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function resourceOf(kind: 'Node' | 'Pod'): string {
  return kind === 'Node' ? 'nodes/status' : 'pods/status';
}

function isSame(a: AnnotationWrite, b: AnnotationWrite): boolean {
  const keys = Object.keys(a.annotations);
  return (
    a.uid === b.uid &&
    keys.length === Object.keys(b.annotations).length &&
    keys.every(key => a.annotations[key] === b.annotations[key])
  );
}
