import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import type { Log } from '../contracts/log.ts';
import { existingNamespaces, removeNetnsMount } from './hosts/netns-mount.ts';
import { ipBatch } from './hosts/network.ts';
import { hostNamespaces } from './hosts/topology.ts';
import { kubernetesProcesses } from './kubernetes/sandbox-plane.ts';
import type { RunPaths } from './paths.ts';
import { PodRecords } from './pods/pod-record.ts';
import { emptyNamespaces } from './processes/namespace-processes.ts';
import { noPrograms, sandboxProcesses } from './processes/process-list.ts';
import { type ProcessSpec, stopProcess } from './processes/processes.ts';
import { readState, type SandboxState } from './state.ts';

/**
 * Removes a sandbox, whole or half made: exactly what its record names. Rejects with StateError where there is
 * none.
 */
export async function takeDown(paths: RunPaths, log: Log): Promise<void> {
  if (!existsSync(paths.dir)) readState(paths);
  // Without a record nothing was made but the folder.
  if (existsSync(paths.state)) await dismantle(readState(paths), paths, log);
  await rm(paths.dir, { recursive: true, force: true });
  await removeNetnsMount(paths);
  await rmdir(paths.base).catch(ignoreNotEmpty);
}

async function dismantle(state: SandboxState, paths: RunPaths, log: Log): Promise<void> {
  const processes = sandboxProcesses(state, paths, noPrograms);
  log.info({ processes: processes.length }, 'ending the processes');
  // The runner first: it would attach again what goes away.
  for (const spec of processes.filter(({ name }) => name === 'runner')) await stopProcess(spec);
  // The API server last: the others say good-bye to it. It then waits for connections to end, all for nothing here.
  const servers = kubernetesProcesses(state, paths).servers.map(({ name }) => name);
  const isServer = ({ name }: ProcessSpec) => servers.includes(name);
  await Promise.all(processes.filter(spec => !isServer(spec)).map(spec => stopProcess(spec)));
  await Promise.all(processes.filter(isServer).map(spec => stopProcess(spec, 0)));
  const pods = new PodRecords(paths.pods).list();
  const recorded = [...pods.map(pod => pod.netns), ...hostNamespaces(state.topology)];
  const namespaces = existingNamespaces(recorded);
  log.info({ pods: pods.length, namespaces: namespaces.length }, 'removing the namespaces');
  await emptyNamespaces(namespaces);
  if (namespaces.length > 0)
    await ipBatch(
      undefined,
      namespaces.map(name => `netns del ${name}`),
    );
}

function ignoreNotEmpty(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error;
}
