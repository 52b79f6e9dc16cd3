import { type DatabaseName, runningRemote } from './hosts/databases.ts';
import type { SandboxNode } from './hosts/topology.ts';
import type { RunPaths } from './paths.ts';
import { PodRecords } from './pods/pod-record.ts';
import { noPrograms, sandboxProcesses } from './processes/process-list.ts';
import { findProcess } from './processes/processes.ts';
import { type SandboxState, StateError } from './state.ts';

/** The namespace of what `exec` names: `outside`, `central`, a Node, or NAMESPACE/POD. Throws {@link StateError}. */
export function targetNamespace(target: string, { topology }: SandboxState, paths: RunPaths): string {
  if (target === 'outside') return topology.outside.netns;
  if (target === 'central') return topology.central.netns;
  const node = topology.nodes.find(({ name }) => name === target);
  if (node) return node.netns;
  const pod = new PodRecords(paths.pods)
    .list()
    .find(({ namespace, name, attachment }) => attachment && `${namespace}/${name}` === target);
  if (pod) return pod.netns;
  throw new StateError(
    target.includes('/')
      ? `no pod ${target} is attached: "sandbox status" lists those that are`
      : `${target} is neither a node nor "outside" nor "central"; a pod is NAMESPACE/POD`,
  );
}

/** Where OVN's own tools find a database. */
export function databaseTarget(database: DatabaseName, state: SandboxState, paths: RunPaths): string {
  const running = sandboxProcesses(state, paths, noPrograms).filter(findProcess);
  return runningRemote(database, state.topology, paths, name => running.some(spec => spec.name === name));
}

/** The node of a name. Throws {@link StateError} with all names where there is none. */
export function nodeByName(name: string, { topology }: SandboxState): SandboxNode {
  const node = topology.nodes.find(candidate => candidate.name === name);
  if (node) return node;
  const names = topology.nodes.map(candidate => candidate.name);
  throw new StateError(`the sandbox has no node ${name}; it has ${names.join(', ')}`);
}
