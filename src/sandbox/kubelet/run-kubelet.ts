import { openKubernetes } from '../../cluster/api/index.ts';
import { ManifestSource } from '../../cluster/manifest-source.ts';
import type { Log } from '../../contracts/log.ts';
import type { RunPaths } from '../paths.ts';
import { cniStatus } from '../pods/cni-runtime.ts';
import { PodLanes } from '../pods/pod-host.ts';
import { RunnerStatusFile } from '../pods/runner-status.ts';
import type { SandboxState } from '../state.ts';
import { Keepers } from './keepers.ts';
import { podKey } from './pod-keeper.ts';

/**
 * Stands in for the kubelets of all nodes of a sandbox, until the function that it gives is called. Pods of Nodes that the
 * sandbox does not have are left alone: objects only. A container that ends, and so a Job, does not exist here.
 */
export async function runKubelet(state: SandboxState, paths: RunPaths, log: Log): Promise<() => void> {
  const { topology, manifests } = state;
  const { objects } = await new ManifestSource({ paths: manifests, log }).read();
  const nodes = objects.filter(({ kind, apiVersion }) => kind === 'Node' && apiVersion === 'v1');
  const client = openKubernetes({ kubeconfig: paths.kubeconfig('kubelet') });
  const file = new RunnerStatusFile(paths.runnerStatus, () => keepers.status());
  const changed = () => file.changed();
  const look = (key: string) => {
    keepers.look(key);
    changed();
  };
  const host = new PodLanes({ topology, paths, log, keyOf: podKey, changed: look });
  const keepers = new Keepers({
    nodes: topology.nodes,
    api: client,
    checkNetwork: ({ netns, id }, signal) => cniStatus({ netns, socket: paths.cniSocket(id) }, signal),
    host,
    log,
    nodeManifests: new Map(nodes.map(({ name, raw }) => [name, raw])),
    synced: () => host.releaseAdopted(),
    changed,
  });
  keepers.start();
  return () => {
    keepers.stop();
    host.stop();
    file.stop();
    client.close();
  };
}
