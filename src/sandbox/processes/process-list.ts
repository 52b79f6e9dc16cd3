import { centralProcesses } from '../hosts/central.ts';
import { chassisProcesses } from '../hosts/chassis.ts';
import { kubernetesProcesses } from '../kubernetes/sandbox-plane.ts';
import type { Programs } from '../ovn/ovn-root.ts';
import type { RunPaths } from '../paths.ts';
import { type SandboxState, StateError } from '../state.ts';
import { agentProcess, masterProcess, runnerProcess } from './own-processes.ts';
import type { ProcessSpec } from './processes.ts';

/** Enough to find and to end processes, where OVN's folder may be gone. */
export const noPrograms: Programs = { command: (file, args) => ({ file, args }) };

/** Every process of a sandbox but those of its pods, in the order in which they start. */
export function sandboxProcesses(
  state: SandboxState,
  paths: RunPaths,
  programs: Programs,
): readonly ProcessSpec[] {
  const { topology, ovnOnly } = state;
  const kubernetes = kubernetesProcesses(state, paths);
  return [
    ...centralProcesses(topology, paths, programs),
    ...topology.nodes.flatMap(node => {
      const { ovsdb, vswitchd, controller } = chassisProcesses(node, paths, programs);
      return [ovsdb, vswitchd, controller];
    }),
    ...kubernetes.servers,
    ...kubernetes.clients,
    ...(ovnOnly ? [] : ownProcesses(state, paths)),
  ];
}

/** Our own: the master, the agents, and last the runner, which needs both. */
function ownProcesses(state: SandboxState, paths: RunPaths): readonly ProcessSpec[] {
  return [
    masterProcess(state, paths),
    ...state.topology.nodes.map(node => agentProcess(node, state, paths)),
    runnerProcess(paths),
  ];
}

/** The process of a name. Throws {@link StateError} with all names where there is none. */
export function processByName(
  name: string,
  state: SandboxState,
  paths: RunPaths,
  programs: Programs,
): ProcessSpec {
  const all = sandboxProcesses(state, paths, programs);
  const found = all.find(spec => spec.name === name);
  if (found) return found;
  throw new StateError(`there is no process ${name}; there are ${all.map(spec => spec.name).join(', ')}`);
}
