import { inNamespace } from '../hosts/namespace-command.ts';
import { packageFile, scriptFile } from '../package-files.ts';
import type { RunPaths } from '../paths.ts';
import type { ProcessSpec } from '../processes/processes.ts';
import type { KubernetesState, SandboxState } from '../state.ts';
import { type ControlPlane, controlPlaneProcesses } from './control-plane.ts';

/** The ports that Kubernetes has by default; the central host is the sandbox's own. */
const PORTS = { api: 6443, etcd: 2379, etcdPeer: 2380, controllerManager: 10257, scheduler: 10259 };

/** The control plane of a sandbox, on its central host. */
export function sandboxPlane(
  { topology }: Pick<SandboxState, 'topology'>,
  { bin }: KubernetesState,
  paths: RunPaths,
): ControlPlane {
  const { netns, ip } = topology.central;
  return { bin, dir: paths.kubernetes, address: ip, ports: PORTS, netns };
}

/** The API server's URL outside of the sandbox. */
export function outsideUrl({ port }: KubernetesState): string {
  return `https://127.0.0.1:${port}`;
}

/** What of Kubernetes runs in a sandbox: the servers, which are to be ready before the clients start. */
export function kubernetesProcesses(
  state: SandboxState,
  paths: RunPaths,
): ReturnType<typeof controlPlaneProcesses> {
  const { kubernetes } = state;
  if (!kubernetes) return { servers: [], clients: [] };
  const { servers, clients } = controlPlaneProcesses(sandboxPlane(state, kubernetes, paths));
  return { servers: [...servers, relay(state, kubernetes, paths)], clients };
}

/** Where the relay of a sandbox passes connections on to. */
export function relayTarget({ topology }: SandboxState): { readonly host: string; readonly port: number } {
  return { host: topology.central.ip, port: PORTS.api };
}

/** Lets kubectl in from outside: it hears in the root namespace and speaks in the central host's. */
function relay({ topology }: SandboxState, { port }: KubernetesState, paths: RunPaths): ProcessSpec {
  const marker = `--state=${paths.state}`;
  const { file, args } = inNamespace(topology.central.netns, {
    file: process.execPath,
    args: [packageFile('bin/kube-northbound'), 'sandbox', 'relay', marker],
  });
  return {
    name: 'relay',
    command: { file: 'perl', args: [scriptFile('kubernetes/listen.pl'), String(port), file, ...args] },
    pidfile: `${paths.kubernetes}/relay.pid`,
    marker,
    output: `${paths.kubernetes}/relay.log`,
    kind: 'service',
  };
}
