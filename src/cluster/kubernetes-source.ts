import type { Log } from '../contracts/log.ts';
import type { KubernetesApi } from './api/types.ts';
import type { ManifestProblem } from './manifest-claims.ts';
import { type KubeObject, type ObjectKey, objectId } from './manifest-object.ts';
import type { ObjectSource, SourceChange } from './source.ts';
import { Trimmer } from './trim.ts';
import { Reflector, type WatchClock, type WatchedResource } from './watch/index.ts';

export interface KubernetesSourceOptions {
  readonly api: KubernetesApi;
  readonly resources: readonly WatchedResource[];
  readonly log?: Log;
  readonly clock?: WatchClock;
  /** Numbers from 0 up to 1. */
  readonly random?: () => number;
}

/** What translation knows of Kubernetes' own objects. */
export const CLUSTER_RESOURCES: readonly WatchedResource[] = [
  { apiVersion: 'v1', kind: 'Node', path: '/api/v1/nodes' },
  { apiVersion: 'v1', kind: 'Namespace', path: '/api/v1/namespaces' },
  { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods' },
];

/**
 * An API server as a source of objects. The first change comes when every resource has been listed, and has all objects
 * that can be read; `synced` is false while the newest list of any resource has one that cannot. Later changes come once in
 * a turn of the event loop. Objects are trimmed as they are read, and forgotten once they are told.
 *
 * An object that was deleted and created again may come as one `put`: then its uid is another.
 */
export class KubernetesSource implements ObjectSource {
  readonly #options: KubernetesSourceOptions;

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
  }

  watch(listener: (change: SourceChange) => void): () => void {
    const changes = new Changes(this.#options.resources.length, listener);
    const controller = new AbortController();
    for (const resource of this.#options.resources) {
      const reflector = new Reflector({ ...this.#options, resource, listener: changes.of(resource) });
      // A failure in here is a mistake of ours: it ends the process as an unhandled rejection, rather than go unheard.
      void reflector.run(controller.signal);
    }
    return () => {
      controller.abort();
      changes.stop();
    };
  }
}

/** So many problems of unreadable objects are kept for each resource, the newest ones. */
const MOST_PROBLEMS = 100;

/** The changes of all resources on their way to the listener. */
class Changes {
  readonly #listener: (change: SourceChange) => void;
  readonly #trimmer = new Trimmer();
  readonly #put = new Map<string, KubeObject>();
  readonly #deleted = new Map<string, ObjectKey>();
  /** Of objects that cannot be read, since the newest list of their resource. */
  readonly #problems = new Map<WatchedResource, readonly ManifestProblem[]>();
  /** Resources whose newest list had an object that cannot be read. */
  readonly #incomplete = new Set<WatchedResource>();
  /** Resources that have not been listed yet. */
  #missing: number;
  #generation = 0;
  #turn: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(resources: number, listener: (change: SourceChange) => void) {
    this.#missing = resources;
    this.#listener = listener;
  }

  /** What a reflector tells of one resource. */
  of(resource: WatchedResource) {
    let listed = false;
    return {
      put: (object: KubeObject) => {
        this.#put.set(objectId(object), this.#trimmer.trim(object));
        this.#schedule();
      },
      deleted: (key: ObjectKey) => {
        const id = objectId(key);
        this.#put.delete(id);
        this.#deleted.set(id, key);
        this.#schedule();
      },
      unreadable: (reason: string) => {
        const problems = [...(this.#problems.get(resource) ?? []), problemOf(resource, reason)];
        this.#problems.set(resource, problems.slice(-MOST_PROBLEMS));
        this.#schedule();
      },
      listed: (unreadable: readonly string[]) => {
        const problems = unreadable.slice(-MOST_PROBLEMS).map(reason => problemOf(resource, reason));
        this.#problems.set(resource, problems);
        if (problems.length > 0) this.#incomplete.add(resource);
        else this.#incomplete.delete(resource);
        if (!listed) this.#missing--;
        listed = true;
        this.#schedule();
      },
    };
  }

  stop(): void {
    this.#stopped = true;
    if (this.#turn !== undefined) clearImmediate(this.#turn);
  }

  #schedule(): void {
    if (this.#missing > 0 || this.#stopped) return;
    this.#turn ??= setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#turn = undefined;
    const first = this.#generation === 0;
    const put = [...this.#put.values()];
    // What was deleted before anybody was told of it need not be told.
    const deleted = first ? [] : [...this.#deleted.values()];
    this.#put.clear();
    this.#deleted.clear();
    this.#generation++;
    const problems = [...this.#problems.values()].flat();
    const synced = this.#incomplete.size === 0;
    this.#listener({ generation: this.#generation, synced, problems, put, deleted });
  }
}

function problemOf({ kind }: WatchedResource, reason: string): ManifestProblem {
  return { object: `${kind} of the API server`, reason: `it cannot be read: ${reason}` };
}
