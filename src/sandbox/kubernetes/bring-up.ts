import { mkdir } from 'node:fs/promises';
import type { Log } from '../../contracts/log.ts';
import { packageFile } from '../package-files.ts';
import type { RunPaths } from '../paths.ts';
import { startProcess } from '../processes/processes.ts';
import type { KubernetesState, SandboxState } from '../state.ts';
import {
  addUser,
  type ControlPlane,
  controlPlaneFiles,
  createControlPlane,
  serverUrl,
} from './control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { type Cluster, kubectl } from './kubectl.ts';
import { awaitApiServer } from './readiness.ts';
import { kubernetesProcesses, outsideUrl, sandboxPlane } from './sandbox-plane.ts';

/** The namespace and the ServiceAccounts of `deploy/rbac.yaml`. */
const NAMESPACE = 'kube-northbound';
const ACCOUNTS = { master: 'kube-northbound-master', node: 'kube-northbound-node' } as const;
/** Nobody renews the tokens of a sandbox, so they hold for ten years. */
const TOKEN_DURATION = '87600h';

/** Starts the control plane of a sandbox, and lets master and node agents in by the RBAC of `deploy/`. */
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
  const admin = { bin: plane.bin, kubeconfig: paths.kubeconfig('admin') };
  await kubectl(admin, ['apply', '-f', packageFile('deploy/rbac.yaml')]);
  for (const user of ['master', 'node'] as const) await addAccount(plane, admin, user, paths);
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

async function addAccount(
  plane: ControlPlane,
  admin: Cluster,
  user: keyof typeof ACCOUNTS,
  paths: RunPaths,
): Promise<void> {
  const wanted = [ACCOUNTS[user], '--namespace', NAMESPACE, '--duration', TOKEN_DURATION];
  const token = (await kubectl(admin, ['create', 'token', ...wanted])).trim();
  const { authority } = controlPlaneFiles(plane);
  writeKubeconfig(paths.kubeconfig(user), { server: serverUrl(plane), authority, credentials: { token } });
}
