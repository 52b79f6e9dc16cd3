import type { KubernetesApi } from '../../cluster/api/types.ts';
import { isRaw, objectAt, type Raw } from '../../cluster/facts/raw.ts';
import type { KubeObject, ObjectKey } from '../../cluster/manifest-source.ts';
import type { ReflectorListener } from '../../cluster/watch/index.ts';
import type { Log } from '../../contracts/log.ts';
import type { SandboxNode } from '../hosts/topology.ts';
import type { PodHost } from '../pods/pod-host.ts';
import type { PodRecord } from '../pods/pod-record.ts';
import { boundPodWish } from '../pods/pod-wish.ts';
import type { PodProgress } from '../pods/runner-status.ts';
import type { Limiter } from '../processes/limiter.ts';
import { type KubeletClock, timeText } from './clock.ts';
import { isNotFound } from './node-keeper.ts';
import { isRunning, podStatusPatch } from './pod-status.ts';

/** In ms: a request that fails is made again so soon, then twice as late each time. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8_000;

export interface PodKeeperOptions {
  readonly node: SandboxNode;
  readonly api: KubernetesApi;
  readonly host: PodHost;
  /** Bounds the requests of all keepers together. */
  readonly limiter: Limiter;
  readonly clock: KubeletClock;
  readonly log: Log;
  /** All pods of the node are known. */
  readonly listed: () => void;
  /** {@link PodKeeper.progress} may have changed. */
  readonly changed: () => void;
}

/** A pod that the API server knows, and how far we are in telling it. */
interface Known {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  raw: Raw;
  telling: boolean;
  /** Something has changed since the last step of {@link Known.telling} began. */
  again: boolean;
  pause: number;
  cancelRetry: () => void;
}

/**
 * Runs the pods that are bound to one node as the API server has them, and tells it how they are. It holds states, not
 * steps: each time that a pod or its network changes, what the API server has is compared with what is.
 */
export class PodKeeper implements ReflectorListener {
  readonly #options: PodKeeperOptions;
  readonly #nodes: ReadonlySet<string>;
  readonly #nodeIps: readonly string[];
  readonly #stopping = new AbortController();
  /** By namespace and name. */
  readonly #pods = new Map<string, Known>();
  #synced = false;

  constructor(options: PodKeeperOptions) {
    const { name, addresses } = options.node;
    this.#options = options;
    this.#nodes = new Set([name]);
    this.#nodeIps = addresses.map(address => address.split('/')[0] ?? address);
  }

  get node(): string {
    return this.#options.node.name;
  }

  /** Whether all pods of the node are known. */
  get synced(): boolean {
    return this.#synced;
  }

  put(object: KubeObject): void {
    const { namespace = '', name, raw } = object;
    const title = `${namespace}/${name}`;
    const key = podKey({ namespace, name, uid: uidOf(raw) });
    if (this.#pods.get(title)?.key !== key) this.#forget(title);
    const known = this.#pods.get(title) ?? fresh(key, namespace, name, raw);
    known.raw = raw;
    this.#pods.set(title, known);
    this.#options.host.want(key, isLeaving(raw) ? undefined : boundPodWish(object, this.#nodes));
    this.#tell(known);
    this.#options.changed();
  }

  deleted({ namespace = '', name }: ObjectKey): void {
    this.#forget(`${namespace}/${name}`);
    this.#options.changed();
  }

  listed(): void {
    this.#synced = true;
    this.#options.listed();
    this.#options.changed();
  }

  /** The pod of a key may have come further. */
  look(key: string): void {
    const known = this.#pods.get(key.slice(0, key.lastIndexOf('/')));
    if (known?.key === key) this.#tell(known);
  }

  /** How far the pods are that the API server knows. One is ready once the API server was told so. */
  progress(): readonly PodProgress[] {
    return [...this.#pods.values()].flatMap(known => {
      const { namespace, name, raw } = known;
      const view = this.#options.host.look(known.key);
      if (!view) return [];
      const state = view.state === 'ready' && !isRunning(raw) ? 'waiting' : view.state;
      const problem = view.problem === undefined ? {} : { problem: view.problem };
      return [{ namespace, name, node: view.node, state, ...problem }];
    });
  }

  stop(): void {
    this.#stopping.abort();
    for (const { cancelRetry } of this.#pods.values()) cancelRetry();
  }

  #forget(title: string): void {
    const known = this.#pods.get(title);
    if (!known) return;
    known.cancelRetry();
    this.#pods.delete(title);
    this.#options.host.want(known.key, undefined);
  }

  #tell(known: Known): void {
    known.again = true;
    known.cancelRetry();
    if (!known.telling && !this.#stopping.signal.aborted) void this.#tellAll(known);
  }

  async #tellAll(known: Known): Promise<void> {
    const { limiter, clock, changed, log } = this.#options;
    known.telling = true;
    try {
      while (known.again && this.#isCurrent(known)) {
        known.again = false;
        await limiter.run(() => this.#step(known));
      }
      known.pause = FIRST_PAUSE;
    } catch (error) {
      if (!this.#isCurrent(known)) return;
      log.warn({ pod: `${known.namespace}/${known.name}`, error }, 'the API server cannot be told of a pod');
      known.cancelRetry = clock.after(known.pause, () => this.#tell(known));
      known.pause = Math.min(2 * known.pause, LONGEST_PAUSE);
    } finally {
      known.telling = false;
      changed();
    }
  }

  /** Says the next thing that there is to say of a pod, if any. */
  async #step(known: Known): Promise<void> {
    if (!this.#isCurrent(known)) return;
    try {
      if (isLeaving(known.raw)) await this.#finishDeletion(known);
      else await this.#report(known);
    } catch (error) {
      // The watch tells of its end. A conflict is tried again: where another pod has the name, the watch says that, too.
      if (!isNotFound(error)) throw error;
    }
  }

  /** The object goes once nothing of the pod is left, as with a kubelet. */
  async #finishDeletion({ key, namespace, name, raw }: Known): Promise<void> {
    const { host, api } = this.#options;
    if (host.look(key)) return;
    const preconditions = { uid: uidOf(raw) };
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions };
    const { signal } = this.#stopping;
    await api.request({ method: 'DELETE', path: podPath(namespace, name), body, signal });
  }

  async #report(known: Known): Promise<void> {
    const { api, host, clock } = this.#options;
    const { key, namespace, name, raw } = known;
    const view = host.look(key);
    // Nothing is wanted of a pod that has finished.
    if (!view || view.state === 'leaving') return;
    const body = podStatusPatch(raw, view, this.#nodeIps, timeText(clock));
    if (!body) return;
    const path = `${podPath(namespace, name)}/status`;
    const contentType = 'application/strategic-merge-patch+json';
    const { signal } = this.#stopping;
    const answer = await api.request({ method: 'PATCH', path, body, contentType, signal });
    // What the watch has brought meanwhile may be newer.
    if (known.raw === raw) known.raw = answer;
  }

  #isCurrent(known: Known): boolean {
    const { namespace, name } = known;
    return !this.#stopping.signal.aborted && this.#pods.get(`${namespace}/${name}`) === known;
  }
}

/** What a pod is called between the keepers and their {@link PodHost}: unlike any other pod's, also of the same name. */
export function podKey({ namespace, name, uid }: Pick<PodRecord, 'namespace' | 'name' | 'uid'>): string {
  return `${namespace}/${name}/${uid}`;
}

function fresh(key: string, namespace: string, name: string, raw: Raw): Known {
  const rest = { telling: false, again: false, pause: FIRST_PAUSE, cancelRetry: () => undefined };
  return { key, namespace, name, raw, ...rest };
}

function uidOf(raw: Raw): string {
  return String(objectAt(raw, 'metadata').uid ?? '');
}

function isLeaving({ metadata }: Raw): boolean {
  return isRaw(metadata) && typeof metadata.deletionTimestamp === 'string';
}

function podPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}
