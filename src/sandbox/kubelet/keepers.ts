import type { KubernetesApi } from '../../cluster/api/types.ts';
import type { Raw } from '../../cluster/facts/raw.ts';
import { Reflector } from '../../cluster/watch/index.ts';
import type { Log } from '../../contracts/log.ts';
import type { SandboxNode } from '../hosts/topology.ts';
import type { PodHost } from '../pods/pod-host.ts';
import type { PodProgress, RunnerStatus } from '../pods/runner-status.ts';
import { Limiter } from '../processes/limiter.ts';
import { systemClock } from './clock.ts';
import { NodeKeeper } from './node-keeper.ts';
import { PodKeeper } from './pod-keeper.ts';

/** Requests about pods at once. */
const PARALLEL = 8;

export interface KeepersOptions {
  readonly nodes: readonly SandboxNode[];
  readonly api: KubernetesApi;
  /** See NodeKeeper. */
  readonly checkNetwork: (node: SandboxNode, signal: AbortSignal) => Promise<void>;
  /** What runs the pods. */
  readonly host: PodHost;
  readonly log: Log;
  /** Nodes of the manifests, by name: their labels, annotations and specs are registered. */
  readonly nodeManifests: ReadonlyMap<string, Raw>;
  /** The pods of all nodes are known. */
  readonly synced: () => void;
  /** {@link Keepers.status} may have changed. */
  readonly changed: () => void;
}

/** The kubelets of all nodes: a {@link NodeKeeper} and a {@link PodKeeper} each, and a watch of the node's pods. */
export class Keepers {
  readonly #options: KeepersOptions;
  readonly #nodes: readonly NodeKeeper[];
  readonly #pods: readonly PodKeeper[];
  readonly #stopping = new AbortController();

  constructor(options: KeepersOptions) {
    const { nodes, nodeManifests, synced } = options;
    const shared = { ...options, clock: systemClock, limiter: new Limiter(PARALLEL) };
    const listed = () => {
      if (this.#isSynced()) synced();
    };
    this.#options = options;
    this.#nodes = nodes.map(node => {
      const checkNetwork = (signal: AbortSignal) => options.checkNetwork(node, signal);
      return new NodeKeeper({ ...shared, node, manifest: nodeManifests.get(node.name), checkNetwork });
    });
    this.#pods = nodes.map(node => new PodKeeper({ ...shared, node, listed }));
  }

  start(): void {
    for (const keeper of this.#nodes) keeper.start();
    for (const keeper of this.#pods) void this.#follow(keeper);
  }

  stop(): void {
    this.#stopping.abort();
    for (const keeper of [...this.#nodes, ...this.#pods]) keeper.stop();
  }

  /** The pod of a key, see podKey, may have come further. */
  look(key: string): void {
    for (const keeper of this.#pods) keeper.look(key);
  }

  status(): RunnerStatus {
    const complete = this.#isSynced() && this.#nodes.every(keeper => keeper.ready);
    const pods: readonly PodProgress[] = this.#pods.flatMap(keeper => keeper.progress());
    return { generation: complete ? 1 : 0, synced: this.#isSynced(), pods };
  }

  #isSynced(): boolean {
    return this.#pods.every(keeper => keeper.synced);
  }

  /** One watch for each node, as each kubelet has: pods of other Nodes cost nothing here. */
  #follow(keeper: PodKeeper): Promise<void> {
    const { api, log } = this.#options;
    const fieldSelector = `spec.nodeName=${keeper.node}`;
    const resource = { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods', fieldSelector };
    return new Reflector({ api, resource, listener: keeper, log }).run(this.#stopping.signal);
  }
}
