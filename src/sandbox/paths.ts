import { basename, dirname, join, resolve } from 'node:path';
import type { Topology } from './hosts/topology.ts';

/** Where the run folders of all sandboxes are. */
function runBase(): string {
  return resolve(process.env.KUBE_NORTHBOUND_RUN ?? '/run/kube-northbound');
}

/** Every file of a sandbox that more than one part of it knows. */
export class RunPaths {
  readonly base: string;
  readonly dir: string;

  constructor(name: string, base = runBase()) {
    this.base = base;
    this.dir = join(base, name);
  }

  /** The folder that a state file is in. */
  static ofState(file: string): RunPaths {
    return new RunPaths(basename(dirname(file)), dirname(dirname(file)));
  }

  get state(): string {
    return join(this.dir, 'state.json');
  }
  /** The Nodes that `--nodes` asks for. */
  get nodeManifests(): string {
    return join(this.dir, 'nodes');
  }
  get masterStatus(): string {
    return join(this.dir, 'master-status.json');
  }
  get runnerStatus(): string {
    return join(this.dir, 'runner-status.json');
  }
  /** One file for each pod, and what belongs to it. */
  get pods(): string {
    return join(this.dir, 'pods');
  }
  get central(): string {
    return join(this.dir, 'central');
  }
  /** The unix socket of a database server, by its process' name. */
  database(server: string): string {
    return join(this.central, `${server}.sock`);
  }
  /** The Kubernetes control plane. */
  get kubernetes(): string {
    return join(this.dir, 'kubernetes');
  }
  /**
   * A kubeconfig: of the administrator and of the kubelets' stand-in by the address in the root namespace, of the master
   * by the API server's own.
   */
  kubeconfig(user: 'admin' | 'kubelet' | 'master'): string {
    return join(this.kubernetes, `${user}.kubeconfig`);
  }
  /** The kubeconfig of a node's agent, by the API server's own address. */
  agentKubeconfig(id: string): string {
    return join(this.node(id), 'agent.kubeconfig');
  }
  /** The folder of a node, by its short name. */
  node(id: string): string {
    return join(this.dir, id);
  }
  ovsdb(id: string): string {
    return join(this.node(id), 'db.sock');
  }
  cniSocket(id: string): string {
    return join(this.node(id), 'cni.sock');
  }
}

/** unix(7): sun_path has 108 bytes, the last of which is 0. */
const LONGEST_SOCKET = 107;

/** Why a sandbox cannot have its sockets in its run folder; undefined where it can. */
export function socketProblem(paths: RunPaths, { nodes }: Topology): string | undefined {
  const id = nodes.at(-1)?.id ?? 'n1';
  // The longest name: a daemon's control socket, with the highest process id of a 64 bit kernel.
  const longest = join(paths.node(id), 'ovn-controller.4194304.ctl');
  const bytes = Buffer.byteLength(longest);
  if (bytes <= LONGEST_SOCKET) return undefined;
  return `the path of a socket, ${longest}, has ${bytes} bytes, and ${LONGEST_SOCKET} is the most: set KUBE_NORTHBOUND_RUN to a shorter folder, or choose a shorter --name`;
}
