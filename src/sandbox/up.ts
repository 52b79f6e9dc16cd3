import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf } from '../cluster/facts/raw.ts';
import { ManifestSource } from '../cluster/manifest-source.ts';
import type { Log } from '../contracts/log.ts';
import { writeJson } from './atomic-file.ts';
import { bringOvnUp } from './bring-up.ts';
import { existingNamespaces, noteNetnsMount } from './hosts/netns-mount.ts';
import { chooseNodes, nodeManifests } from './hosts/nodes.ts';
import { hostNamespaces, planTopology, type Topology } from './hosts/topology.ts';
import { awaitCluster } from './kubernetes/await-cluster.ts';
import { administrator, admitAgents, bringKubernetesUp } from './kubernetes/bring-up.ts';
import { freePort } from './kubernetes/free-port.ts';
import { applyManifests } from './kubernetes/manifests.ts';
import type { OvnRoot } from './ovn/ovn-root.ts';
import { type RunPaths, socketProblem } from './paths.ts';
import { awaitPods, type StartedProcess } from './pods/await-pods.ts';
import { agentProcess, masterProcess, runnerProcess } from './processes/own-processes.ts';
import { type ProcessSpec, startProcess } from './processes/processes.ts';
import { checkUntaken, claimSandbox, halfMade, type SandboxState, StateError, writeState } from './state.ts';

/** What `sandbox up` is asked for. */
export interface UpOptions {
  readonly name: string;
  readonly manifests: readonly string[];
  readonly nodes?: number;
  readonly config?: string;
  /** Without master, agents and pods. */
  readonly ovnOnly: boolean;
  /** With a Kubernetes control plane, which the objects of the manifests are then put on. */
  readonly kubernetes: boolean;
  /** Each of OVN's databases as a RAFT cluster of three. */
  readonly raft: boolean;
  /** How long pods may take to come up, in ms; by default {@link awaitPods} decides by their number. */
  readonly timeout?: number;
}

/** Find the folders of programs, and fetch or build those that are missing. */
export interface ProgramLoaders {
  readonly loadRoot: () => Promise<OvnRoot>;
  readonly loadControlPlane: () => Promise<string>;
}

/**
 * Makes a sandbox and waits for its pods. Resolves to what is missing, one sentence each; empty where all pods are
 * attached and listen. Rejects where the sandbox cannot be made: what was made by then stays until `down`.
 */
export async function bringUp(
  options: UpOptions,
  paths: RunPaths,
  { loadRoot, loadControlPlane }: ProgramLoaders,
  log: Log,
): Promise<readonly string[]> {
  const { manifests } = options;
  const objects =
    manifests.length === 0 ? [] : (await new ManifestSource({ paths: manifests }).read()).objects;
  const { nodes, generated } = chooseNodes(objects, options.nodes);
  const topology = planTopology(options.name, nodes, options.raft ? 3 : 1);
  checkRoom(topology, paths);
  const root = await loadRoot();
  const kubernetes = options.kubernetes
    ? { bin: await loadControlPlane(), port: await freePort() }
    : undefined;
  const state: SandboxState = {
    phase: 'making',
    ovnRoot: root.dir,
    topology,
    manifests: [...manifests.map(path => resolve(path)), ...(generated ? [paths.nodeManifests] : [])],
    ...(options.config === undefined ? {} : { config: resolve(options.config) }),
    ovnOnly: options.ovnOnly,
    ...(kubernetes === undefined ? {} : { kubernetes }),
  };
  claimSandbox(paths, state);
  try {
    noteNetnsMount(paths);
    if (generated) {
      await mkdir(paths.nodeManifests);
      writeJson(join(paths.nodeManifests, 'nodes.json'), nodeManifests(topology));
    }
    await bringOvnUp(topology, paths, root, log);
    if (kubernetes) await bringKubernetesUp(state, kubernetes, paths, log);
    const processes = options.ovnOnly ? [] : await startOurs(state, paths, log);
    const cluster = kubernetes && administrator(kubernetes, paths);
    if (cluster) await applyManifests(cluster, objects);
    const missing = options.ovnOnly
      ? []
      : cluster
        ? await awaitCluster(cluster.kubeconfig, nodeNames(topology), processes, log, options.timeout)
        : await awaitPods(paths, processes, log, options.timeout);
    writeState(paths, { ...state, phase: 'up' });
    return missing;
  } catch (cause) {
    throw new StateError(`${messageOf(cause)}\n${halfMade(options.name)}`, { cause });
  }
}

/** The runner first: where there is Kubernetes it registers the Nodes, and an agent is let in by its Node. */
async function startOurs(state: SandboxState, paths: RunPaths, log: Log): Promise<readonly StartedProcess[]> {
  const start = async (spec: ProcessSpec) => ({ spec, started: await startProcess(spec) });
  log.info({}, 'starting the runner, the master and the agents');
  const runner = await start(runnerProcess(paths));
  if (state.kubernetes) await admitAgents(state, state.kubernetes, paths);
  const others = [
    masterProcess(state, paths),
    ...state.topology.nodes.map(node => agentProcess(node, state, paths)),
  ];
  return [runner, ...(await Promise.all(others.map(start)))];
}

function nodeNames({ nodes }: Topology): readonly string[] {
  return nodes.map(({ name }) => name);
}

function checkRoom(topology: Topology, paths: RunPaths): void {
  checkUntaken(topology.name, paths);
  const problem = socketProblem(paths, topology);
  if (problem !== undefined) throw new StateError(problem);
  const [taken] = existingNamespaces(hostNamespaces(topology));
  if (taken !== undefined) {
    throw new StateError(
      `there is a network namespace ${taken} already, of somebody else: choose another --name`,
    );
  }
}
