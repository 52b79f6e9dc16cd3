import type { SandboxNode } from '../hosts/topology.ts';
import { packageFile } from '../package-files.ts';
import type { RunPaths } from '../paths.ts';
import { type ControlPlane, controlPlaneFiles, serverUrl } from './control-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { type Cluster, kubectl } from './kubectl.ts';

/** The namespace of `deploy/`, in which the ServiceAccounts are. */
const NAMESPACE = 'kube-northbound';
const MASTER = 'kube-northbound-master';
const AGENT = 'kube-northbound-node';
/** Nobody renews the tokens of a sandbox, so they hold for ten years. */
const DURATION = '87600h';
const WAIT = '--timeout=60s';

/** Lets the master in with the rights that `deploy/` gives it, and makes those of the agents known. */
export async function admitMaster(plane: ControlPlane, admin: Cluster, paths: RunPaths): Promise<void> {
  const files = ['rbac.yaml', 'admission.yaml'].flatMap(file => ['-f', packageFile(`deploy/${file}`)]);
  await kubectl(admin, ['apply', ...files]);
  await addAccount(plane, admin, MASTER, paths.kubeconfig('master'));
}

/**
 * Lets the agent of a node in, once the Node has registered. As in a pod, its token is bound to the Node, which is how the
 * API server knows the one that the agent may write to.
 */
export async function admitAgent(
  { id, name }: SandboxNode,
  plane: ControlPlane,
  admin: Cluster,
  paths: RunPaths,
): Promise<void> {
  await kubectl(admin, ['wait', '--for=create', `node/${name}`, WAIT]);
  const bound = ['--bound-object-kind', 'Node', '--bound-object-name', name];
  await addAccount(plane, admin, AGENT, paths.agentKubeconfig(id), bound);
}

async function addAccount(
  plane: ControlPlane,
  admin: Cluster,
  account: string,
  file: string,
  options: readonly string[] = [],
): Promise<void> {
  const wanted = [account, '--namespace', NAMESPACE, '--duration', DURATION, ...options];
  const token = (await kubectl(admin, ['create', 'token', ...wanted])).trim();
  const { authority } = controlPlaneFiles(plane);
  writeKubeconfig(file, { server: serverUrl(plane), authority, credentials: { token } });
}
