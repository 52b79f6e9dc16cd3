import { mkdir } from 'node:fs/promises';
import type { Log } from '../../contracts/log.ts';
import type { RunPaths } from '../paths.ts';
import { startProcess } from '../processes/processes.ts';
import type { KubernetesState, SandboxState } from '../state.ts';
import { admitAgent, admitMaster } from './accounts.ts';
import { addUser, controlPlaneFiles, createControlPlane } from './control-plane.ts';
import type { Cluster } from './kubectl.ts';
import { awaitApiServer } from './readiness.ts';
import { kubernetesProcesses, outsideUrl, sandboxPlane } from './sandbox-plane.ts';

/** Starts the control plane of a sandbox, and lets the master in. */
export async function bringKubernetesUp(
  state: SandboxState,
  kubernetes: KubernetesState,
  paths: RunPaths,
  log: Log,
): Promise<void> {
  const plane = sandboxPlane(state, kubernetes, paths);
  const outside = outsideUrl(kubernetes);
  log.info({ server: outside }, 'starting the Kubernetes control plane');
  await mkdir(paths.kubernetes, { mode: 0o700 });
  await createControlPlane(plane, outside);
  await addUser(plane, 'kubelet', { name: 'sandbox-kubelet', groups: ['system:masters'] }, outside);
  const { servers, clients } = kubernetesProcesses(state, paths);
  for (const spec of servers) await startProcess(spec);
  await untilReady(state, kubernetes, paths);
  for (const spec of clients) await startProcess(spec);
  await admitMaster(plane, administrator(kubernetes, paths), paths);
}

/** Waits until all Nodes of a sandbox have registered, and lets their agents in. */
export async function admitAgents(
  state: SandboxState,
  kubernetes: KubernetesState,
  paths: RunPaths,
): Promise<void> {
  const plane = sandboxPlane(state, kubernetes, paths);
  const admin = administrator(kubernetes, paths);
  for (const node of state.topology.nodes) await admitAgent(node, plane, admin, paths);
}

/** Whoever may do everything, from outside. */
export function administrator({ bin }: KubernetesState, paths: RunPaths): Cluster {
  return { bin, kubeconfig: paths.kubeconfig('admin') };
}

/** Waits until the API server of a sandbox answers those outside. */
export async function untilReady(
  state: SandboxState,
  kubernetes: KubernetesState,
  paths: RunPaths,
): Promise<void> {
  const { authority } = controlPlaneFiles(sandboxPlane(state, kubernetes, paths));
  const { servers } = kubernetesProcesses(state, paths);
  await awaitApiServer(servers, { server: outsideUrl(kubernetes), authority });
}
