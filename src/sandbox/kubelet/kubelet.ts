import type { KubernetesApi } from '../../cluster/api/types.ts';
import type { Raw } from '../../cluster/facts/raw.ts';
import { Reflector } from '../../cluster/watch/index.ts';
import type { Log } from '../../contracts/log.ts';
import type { Topology } from '../hosts/topology.ts';
import type { RunPaths } from '../paths.ts';
import { PodLanes } from '../pods/pod-host.ts';
import { RunnerStatusFile } from '../pods/runner-status.ts';
import { Limiter } from '../processes/limiter.ts';
import { systemClock } from './clock.ts';
import { NodeKeeper } from './node-keeper.ts';
import { PodKeeper, podKey } from './pod-keeper.ts';

/** Requests about pods at once. */
const PARALLEL = 8;

export interface KubeletOptions {
  readonly topology: Topology;
  readonly paths: RunPaths;
  readonly log: Log;
  readonly api: KubernetesApi;
  /** Nodes of the manifests, by name: their labels, annotations and specs are registered. */
  readonly nodeManifests: ReadonlyMap<string, Raw>;
}

/**
 * Stands in for the kubelets of all nodes of a sandbox, until the function that it gives is called. Pods of Nodes that the
 * sandbox does not have are left alone: objects only. A container that ends, and so a Job, does not exist here.
 */
export function startKubelet(options: KubeletOptions): () => void {
  const { topology, paths, log, api, nodeManifests } = options;
  const status = new RunnerStatusFile(paths.runnerStatus, () => {
    const synced = pods.every(keeper => keeper.synced);
    const complete = synced && nodes.every(keeper => keeper.ready);
    return { generation: complete ? 1 : 0, synced, pods: pods.flatMap(keeper => keeper.progress()) };
  });
  const changed = () => status.changed();
  const look = (key: string) => {
    for (const keeper of pods) keeper.look(key);
    changed();
  };
  const host = new PodLanes({ topology, paths, log, keyOf: podKey, changed: look });
  const listed = () => {
    if (pods.every(keeper => keeper.synced)) host.releaseAdopted();
  };
  const shared = { api, clock: systemClock, log, changed };
  const limiter = new Limiter(PARALLEL);
  const nodes = topology.nodes.map(
    node => new NodeKeeper({ ...shared, node, manifest: nodeManifests.get(node.name) }),
  );
  const pods = topology.nodes.map(node => new PodKeeper({ ...shared, node, host, limiter, listed }));
  const stopping = new AbortController();
  for (const keeper of nodes) keeper.start();
  for (const keeper of pods) void follow(keeper, api, log, stopping.signal);
  return () => {
    stopping.abort();
    for (const keeper of [...nodes, ...pods]) keeper.stop();
    host.stop();
    status.stop();
  };
}

/** One watch for each node, as each kubelet has: pods of other Nodes cost nothing here. */
function follow(keeper: PodKeeper, api: KubernetesApi, log: Log, signal: AbortSignal): Promise<void> {
  const fieldSelector = `spec.nodeName=${keeper.node}`;
  const resource = { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods', fieldSelector };
  return new Reflector({ api, resource, listener: keeper, log }).run(signal);
}
