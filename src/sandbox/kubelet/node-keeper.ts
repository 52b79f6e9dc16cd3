import { ApiError, type KubernetesApi } from '../../cluster/api/types.ts';
import { messageOf, objectAt, type Raw } from '../../cluster/facts/raw.ts';
import type { Log } from '../../contracts/log.ts';
import type { SandboxNode } from '../hosts/topology.ts';
import { type KubeletClock, microTimeText, timeText } from './clock.ts';
import { isReady, nodeObject, nodeStatusPatch } from './node-object.ts';

/** In ms, as a kubelet renews its lease; the node controller takes a node for lost after four times that. */
const PERIOD = 10_000;
const LEASE_SECONDS = 40;
/** In ms: after a failure the next try comes so soon, then twice as late each time, up to the period. */
const FIRST_PAUSE = 500;
/** In ms: how often a node is asked whether its network has come up. */
const NETWORK_PERIOD = 1_000;

const NODES = '/api/v1/nodes';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

export interface NodeKeeperOptions {
  readonly node: SandboxNode;
  /** The Node of the manifests, where there is one. */
  readonly manifest: Raw | undefined;
  readonly api: KubernetesApi;
  /** Rejects with the reason where no pod can be attached. Not asked again once it has resolved. */
  readonly checkNetwork: (signal: AbortSignal) => Promise<void>;
  readonly clock: KubeletClock;
  readonly log: Log;
  /** {@link NodeKeeper.ready} may have changed. */
  readonly changed: () => void;
}

/**
 * Registers one node, keeps its status that of a node which is well, and renews its lease. It is ready once its network
 * is; what becomes of the network later is for the agent to say, by the condition NetworkUnavailable. A Node that somebody deletes is
 * not registered again by the same keeper, as by a real kubelet; one that somebody creates anew is taken up.
 */
export class NodeKeeper {
  readonly #options: NodeKeeperOptions;
  readonly #stopping = new AbortController();
  #cancel: (() => void) | undefined;
  #pause = FIRST_PAUSE;
  #registered = false;
  #ready = false;
  #networkReady = false;

  constructor(options: NodeKeeperOptions) {
    this.#options = options;
  }

  /** Whether the API server says that the node is ready, when it was last looked at. */
  get ready(): boolean {
    return this.#ready;
  }

  start(): void {
    void this.#beat();
  }

  stop(): void {
    this.#stopping.abort();
    this.#cancel?.();
  }

  async #beat(): Promise<void> {
    let pause = PERIOD;
    try {
      await this.#keep();
      this.#pause = FIRST_PAUSE;
      if (!this.#networkReady) pause = NETWORK_PERIOD;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const { log, node } = this.#options;
      log.warn({ node: node.name, error }, 'a node cannot be kept at the API server; trying again');
      pause = this.#pause;
      this.#pause = Math.min(2 * this.#pause, PERIOD);
    }
    if (!this.#stopping.signal.aborted)
      this.#cancel = this.#options.clock.after(pause, () => void this.#beat());
  }

  async #keep(): Promise<void> {
    const { node, clock, changed } = this.#options;
    const found = await this.#find();
    const problem = await this.#networkProblem();
    const patch = found && nodeStatusPatch(node, found, problem, timeText(clock));
    const path = `${NODES}/${node.name}/status`;
    const kept = patch ? await this.#patch(path, patch, 'strategic-merge') : found;
    this.#ready = kept !== undefined && isReady(kept);
    changed();
    if (kept) await this.#renewLease(kept);
  }

  /** The node's Node; made where it never was there, undefined where somebody has deleted it. */
  async #find(): Promise<Raw | undefined> {
    const { node, manifest, api, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      const found = await api.request({ method: 'GET', path: `${NODES}/${node.name}`, signal });
      this.#registered = true;
      return found;
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    if (this.#registered) {
      log.info(
        { node: node.name },
        'the Node was deleted; its node stays away until the runner starts again',
      );
      return undefined;
    }
    const body = nodeObject(node, manifest);
    const made = await api.request({ method: 'POST', path: NODES, body, signal });
    this.#registered = true;
    return made;
  }

  async #networkProblem(): Promise<string | undefined> {
    if (this.#networkReady) return undefined;
    try {
      await this.#options.checkNetwork(this.#stopping.signal);
      this.#networkReady = true;
      return undefined;
    } catch (error) {
      return `the network is not ready: ${messageOf(error)}`;
    }
  }

  async #renewLease(current: Raw): Promise<void> {
    const { node, api, clock } = this.#options;
    const renewTime = microTimeText(clock);
    try {
      await this.#patch(`${LEASES}/${node.name}`, { spec: { renewTime } }, 'merge');
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const { uid } = objectAt(current, 'metadata');
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid }];
      const spec = { holderIdentity: node.name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
      const metadata = { name: node.name, ownerReferences };
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      await api.request({ method: 'POST', path: LEASES, body, signal: this.#stopping.signal });
    }
  }

  #patch(path: string, body: Raw, form: 'strategic-merge' | 'merge'): Promise<Raw> {
    const { signal } = this.#stopping;
    const contentType = `application/${form}-patch+json`;
    return this.#options.api.request({ method: 'PATCH', path, body, contentType, signal });
  }
}

/** Whether the API server says that there is no such object. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
