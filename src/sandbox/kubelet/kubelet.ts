import type { KubernetesApi } from '../../cluster/api/types.ts';
import type { Raw } from '../../cluster/facts/raw.ts';
import type { ObjectSource } from '../../cluster/source.ts';
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
  /** The pods that are bound to a node. */
  readonly podsOn: (node: string) => ObjectSource;
  /** Nodes of the manifests, by name: their labels, annotations and specs are registered. */
  readonly nodeManifests: ReadonlyMap<string, Raw>;
}

/**
 * Stands in for the kubelets of all nodes of a sandbox, until the function that it gives is called. Pods of Nodes that the
 * sandbox does not have are left alone: objects only. A container that ends, and so a Job, does not exist here.
 */
export function startKubelet(options: KubeletOptions): () => void {
  const { topology, paths, log, api, podsOn, nodeManifests } = options;
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
  const shared = { api, clock: systemClock, log, changed };
  const limiter = new Limiter(PARALLEL);
  const nodes = topology.nodes.map(
    node => new NodeKeeper({ ...shared, node, manifest: nodeManifests.get(node.name) }),
  );
  const pods = topology.nodes.map(node => new PodKeeper({ ...shared, node, host, limiter }));
  for (const keeper of nodes) keeper.start();
  const unwatch = topology.nodes.map(({ name }, index) =>
    podsOn(name).watch(change => {
      pods[index]?.take(change);
      if (pods.every(keeper => keeper.synced)) host.releaseAdopted();
    }),
  );
  return () => {
    for (const stop of unwatch) stop();
    for (const keeper of [...nodes, ...pods]) keeper.stop();
    host.stop();
    status.stop();
  };
}
