import { openKubernetes } from '../../cluster/api/index.ts';
import { ManifestSource } from '../../cluster/manifest-source.ts';
import type { Log } from '../../contracts/log.ts';
import type { RunPaths } from '../paths.ts';
import type { SandboxState } from '../state.ts';
import { startKubelet } from './kubelet.ts';

/** Runs the pods of a sandbox that has Kubernetes, until the function that it gives is called. */
export async function runKubelet(state: SandboxState, paths: RunPaths, log: Log): Promise<() => void> {
  const { topology, manifests } = state;
  const { objects } = await new ManifestSource({ paths: manifests, log }).read();
  const nodes = objects.filter(({ kind, apiVersion }) => kind === 'Node' && apiVersion === 'v1');
  const client = openKubernetes({ kubeconfig: paths.kubeconfig('kubelet') });
  const nodeManifests = new Map(nodes.map(({ name, raw }) => [name, raw]));
  const stop = startKubelet({ topology, paths, log, api: client, nodeManifests });
  return () => {
    stop();
    client.close();
  };
}
