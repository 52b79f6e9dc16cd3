import { inNamespace } from '../hosts/namespace-command.ts';
import { scriptFile } from '../package-files.ts';
import { Limiter } from '../processes/limiter.ts';
import { runCommand } from '../processes/run-command.ts';
import type { PodStatus, SandboxStatus } from '../status.ts';

/** Who sends: a pod, or a node to its own pods. */
export interface Source {
  /** NAMESPACE/POD, or the node's name. */
  readonly name: string;
  readonly node: string;
  readonly netns: string;
}

/** One question to one address of a pod. */
export interface Probe {
  readonly from: string;
  readonly to: string;
  readonly kind: 'ping' | 'tcp' | 'udp' | 'sctp';
  readonly address: string;
  readonly port?: number;
}

/** `none`: the kernel lacks the protocol. */
export interface ProbeResult extends Probe {
  readonly result: 'ok' | 'bad' | 'none';
  readonly reason?: string;
}

/** Sources whose packets fly at once: two cores carry them, and the datapath too. */
const PARALLEL = 4;
/** How long a target may be silent, in s, before it counts as unreachable. */
const PATIENCE = 15;

/** All pods, then all nodes. */
export function matrixSources({ pods, nodes }: SandboxStatus): readonly Source[] {
  return [
    ...pods.map(pod => ({ name: titleOf(pod), node: pod.node, netns: pod.netns })),
    ...nodes.map(({ name, netns }) => ({ name, node: name, netns })),
  ];
}

/** What a source asks: a pod every other pod, a node its own pods; each address by ping and on each port. */
export function probesFrom(source: Source, { pods, nodes }: SandboxStatus): readonly Probe[] {
  const isNode = nodes.some(({ name }) => name === source.name);
  return pods
    .filter(pod => (isNode ? pod.node === source.node : titleOf(pod) !== source.name))
    .flatMap(pod => pod.ips.flatMap(address => addressProbes(source.name, pod, address)));
}

/** Sends packets between all pods of a sandbox, and from each node to its own. */
export async function runMatrix(status: SandboxStatus): Promise<readonly ProbeResult[]> {
  const limiter = new Limiter(PARALLEL);
  const sources = matrixSources(status);
  const results = await Promise.all(
    sources.map(source => limiter.run(() => probeAll(source, probesFrom(source, status)))),
  );
  return results.flat();
}

/** What the probing script reads for a list of probes: a line each, with the place in the list as its id. */
export function probeLines(probes: readonly Probe[]): string {
  return probes
    .map(({ kind, address, port, to }, id) =>
      kind === 'ping' ? `${id} ping ${address}\n` : `${id} ${kind} ${address} ${port} ${to}\n`,
    )
    .join('');
}

/** Joins what the probing script printed with the probes that it was asked for. */
export function readResults(probes: readonly Probe[], output: string): readonly ProbeResult[] {
  const answers = new Map(
    output.split('\n').map(line => {
      const [, id = '', result = '', reason = ''] = /^(\d+) (\S+) ?(.*)$/.exec(line) ?? [];
      return [id, { result, reason }] as const;
    }),
  );
  return probes.map((probe, id) => {
    const { result, reason } = answers.get(String(id)) ?? { result: 'bad', reason: 'the probe was not made' };
    if (result === 'ok') return { ...probe, result };
    return { ...probe, result: result === 'none' ? 'none' : 'bad', reason };
  });
}

async function probeAll(source: Source, probes: readonly Probe[]): Promise<readonly ProbeResult[]> {
  if (probes.length === 0) return [];
  const script = { file: 'perl', args: [scriptFile('matrix/probe.pl'), String(PATIENCE)] };
  // At worst every target is silent for the whole time, and asked once more.
  const timeout = 1000 * (2 * PATIENCE + 2 * probes.length);
  return readResults(
    probes,
    await runCommand(inNamespace(source.netns, script), { input: probeLines(probes), timeout }),
  );
}

function addressProbes(from: string, pod: PodStatus, address: string): readonly Probe[] {
  const common = { from, to: titleOf(pod), address };
  return [
    { ...common, kind: 'ping' },
    ...pod.ports.map(text => {
      const [kind, port] = text.split(':') as ['tcp' | 'udp' | 'sctp', string];
      return { ...common, kind, port: Number(port) };
    }),
  ];
}

function titleOf({ namespace, name }: PodStatus): string {
  return `${namespace}/${name}`;
}
