import { join } from 'node:path';
import { databaseRemote, southboundRemote } from '../hosts/databases.ts';
import { inNamespace } from '../hosts/namespace-command.ts';
import type { SandboxNode } from '../hosts/topology.ts';
import { packageFile } from '../package-files.ts';
import type { RunPaths } from '../paths.ts';
import type { SandboxState } from '../state.ts';
import type { ProcessSpec } from './processes.ts';
import type { CommandLine } from './run-command.ts';

/** The master of a sandbox, on the central host. */
export function masterProcess(state: SandboxState, paths: RunPaths): ProcessSpec {
  const { topology } = state;
  const command = ourselves([
    'master',
    ...sourceOptions(state, paths.kubeconfig('master')),
    ...['--nb', databaseRemote('nb', topology, paths), '--sb', databaseRemote('sb', topology, paths)],
    ...['--status-file', paths.masterStatus],
    ...configOptions(state),
  ]);
  const there = inNamespace(topology.central.netns, command);
  return service('master', there, join(paths.dir, 'master'), paths.masterStatus);
}

/** The agent of one node, in that node's namespace. */
export function agentProcess(node: SandboxNode, state: SandboxState, paths: RunPaths): ProcessSpec {
  const socket = paths.cniSocket(node.id);
  const command = ourselves([
    ...['node', '--node-name', node.name],
    ...['--ovs', `unix:${paths.ovsdb(node.id)}`, '--sb', southboundRemote(state.topology)],
    ...sourceOptions(state, paths.agentKubeconfig(node.id)),
    ...['--encap-ip', node.encapIp, '--cni-socket', socket],
    ...configOptions(state),
  ]);
  const file = join(paths.node(node.id), 'agent');
  return service(`${node.name}/agent`, inNamespace(node.netns, command), file, socket);
}

/** The runner, which keeps the pods of a sandbox. */
export function runnerProcess(paths: RunPaths): ProcessSpec {
  const command = ourselves(['sandbox', 'runner', '--state', paths.state]);
  return service('runner', command, join(paths.dir, 'runner'), paths.state);
}

function ourselves(args: readonly string[]): CommandLine {
  return { file: process.execPath, args: [packageFile('bin/kube-northbound'), ...args] };
}

function service(name: string, command: CommandLine, file: string, marker: string): ProcessSpec {
  return { name, command, pidfile: `${file}.pid`, marker, output: `${file}.log`, kind: 'service' };
}

/** Where a program of ours takes its objects from. */
function sourceOptions({ kubernetes, manifests }: SandboxState, kubeconfig: string): readonly string[] {
  if (kubernetes) return ['--kubeconfig', kubeconfig];
  return manifests.flatMap(path => ['--manifests', path]);
}

function configOptions({ config }: SandboxState): readonly string[] {
  return config === undefined ? [] : ['--config', config];
}
