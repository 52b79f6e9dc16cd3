import { podPort } from '../contracts/names.ts';
import { databaseRemote } from './hosts/databases.ts';
import { outsideUrl } from './kubernetes/sandbox-plane.ts';
import type { RunPaths } from './paths.ts';
import { PodRecords } from './pods/pod-record.ts';
import { type PodProgress, readRunnerStatus } from './pods/runner-status.ts';
import { noPrograms, sandboxProcesses } from './processes/process-list.ts';
import { findProcess } from './processes/processes.ts';
import type { SandboxState } from './state.ts';

/** What `sandbox status --output json` prints. Addresses have no prefix length. */
export interface SandboxStatus {
  readonly name: string;
  /** Remotes as OVSDB's programs take them; several servers are parted by commas. */
  readonly databases: { readonly nb: string; readonly sb: string };
  readonly nodes: readonly {
    readonly name: string;
    readonly netns: string;
    readonly ips: readonly string[];
    readonly ovsdb: string;
  }[];
  readonly outside: { readonly netns: string; readonly ips: readonly string[] };
  /** `pid` is null where the process does not run. */
  readonly processes: readonly { readonly name: string; readonly pid: number | null }[];
  /** Where there is a control plane; `bin` is the folder with kubectl. */
  readonly kubernetes?: { readonly server: string; readonly kubeconfig: string; readonly bin: string };
  /** Those that are attached to the cluster network. */
  readonly pods: readonly PodStatus[];
  /** Those that are not yet, or no longer, as they are wanted. */
  readonly waiting: readonly PodProgress[];
}

export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly netns: string;
  /** The name inside the pod. */
  readonly interface: string;
  readonly mac: string;
  readonly ips: readonly string[];
  readonly logicalPort: string;
  /** What it answers on, e.g. `tcp:80`. */
  readonly ports: readonly string[];
}

/** Looks at a sandbox. */
export function sandboxStatus(state: SandboxState, paths: RunPaths): SandboxStatus {
  const { kubernetes } = state;
  const { name, outside, nodes } = state.topology;
  return {
    name,
    databases: {
      nb: databaseRemote('nb', state.topology, paths),
      sb: databaseRemote('sb', state.topology, paths),
    },
    nodes: nodes.map(node => ({
      name: node.name,
      netns: node.netns,
      ips: node.addresses.map(bare),
      ovsdb: `unix:${paths.ovsdb(node.id)}`,
    })),
    outside: { netns: outside.netns, ips: outside.addresses.map(bare) },
    processes: sandboxProcesses(state, paths, noPrograms).map(spec => ({
      name: spec.name,
      pid: findProcess(spec)?.pid ?? null,
    })),
    ...(kubernetes && {
      kubernetes: {
        server: outsideUrl(kubernetes),
        kubeconfig: paths.kubeconfig('admin'),
        bin: kubernetes.bin,
      },
    }),
    pods: podStatus(paths),
    waiting: readRunnerStatus(paths.runnerStatus)?.pods.filter(pod => pod.state !== 'ready') ?? [],
  };
}

/** A status for people: three lists with aligned columns. */
export function statusText(status: SandboxStatus): string {
  const { name, databases, kubernetes, nodes, outside, processes, pods, waiting } = status;
  const sections = [
    `sandbox ${name}\nnorthbound ${databases.nb}\nsouthbound ${databases.sb}\n${kubernetes ? `kubernetes ${kubernetes.server}\n` : ''}`,
    table([
      ['NODE', 'NETNS', 'ADDRESSES', 'OVSDB'],
      ...nodes.map(node => [node.name, node.netns, node.ips.join(' '), node.ovsdb]),
      ['(outside)', outside.netns, outside.ips.join(' '), ''],
    ]),
    table([
      ['PROCESS', 'PID'],
      ...processes.map(({ name: process, pid }) => [process, pid === null ? 'not running' : String(pid)]),
    ]),
    table([
      ['POD', 'NODE', 'NETNS', 'MAC', 'ADDRESSES', 'PORTS'],
      ...pods.map(pod => [
        `${pod.namespace}/${pod.name}`,
        ...[pod.node, pod.netns, pod.mac, pod.ips.join(' '), pod.ports.join(' ')],
      ]),
    ]),
    ...(waiting.length === 0 ? [] : [table([['NOT READY', 'STATE', 'WHY'], ...waiting.map(waitingRow)])]),
  ];
  return sections.join('\n');
}

/** Lines of cells, each column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map(row => `${line(row)}\n`).join('');
}

function podStatus(paths: RunPaths): readonly PodStatus[] {
  return new PodRecords(paths.pods)
    .list()
    .filter(({ hostNetwork }) => !hostNetwork)
    .flatMap(({ namespace, name, node, netns, ports, attachment }) =>
      attachment
        ? [{ namespace, name, node, netns, ...attachment, logicalPort: podPort(namespace, name), ports }]
        : [],
    )
    .sort((a, b) => compare(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
}

function waitingRow({ namespace, name, state, problem }: PodProgress): readonly string[] {
  return [`${namespace}/${name}`, state, problem ?? ''];
}

function bare(address: string): string {
  return address.split('/')[0] ?? address;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
