import { settleVswitchd } from '../hosts/chassis.ts';
import { untilReady } from '../kubernetes/bring-up.ts';
import { ovnRootAt } from '../ovn/ovn-root.ts';
import type { RunPaths } from '../paths.ts';
import type { SandboxState } from '../state.ts';
import { noPrograms, processByName } from './process-list.ts';
import { killProcess, startProcess } from './processes.ts';

/** Ends a process of a sandbox by SIGKILL. Rejects where there is no such process, or it does not run. */
export async function killByName(name: string, state: SandboxState, paths: RunPaths): Promise<void> {
  await killProcess(processByName(name, state, paths, noPrograms));
}

/** Starts a process of a sandbox again as `up` started it; its state is on disk. Rejects where it runs already. */
export async function startByName(name: string, state: SandboxState, paths: RunPaths): Promise<void> {
  const root = await ovnRootAt(state.ovnRoot);
  await startProcess(processByName(name, state, paths, root));
  if (name === 'kube-apiserver' && state.kubernetes) await untilReady(state, state.kubernetes, paths);
  const node = state.topology.nodes.find(candidate => name === `${candidate.name}/vswitchd`);
  if (node) await settleVswitchd(node, state.topology, paths, root);
}
