import { type Cidr, cidrOf, type Ip, parseInterfaceCidr, parseIp } from '../addresses/index.ts';
import { routerPort } from './names.ts';

/** Rows of ours as the database has them: what translation once wrote, read backwards. */
export interface RecordedRows {
  /** Logical_Router_Port rows. */
  readonly routerPorts: Iterable<{
    readonly unit: string;
    readonly name: string;
    readonly networks: Iterable<string>;
  }>;
  /** Logical_Switch_Port rows, with the name of the switch that carries each. */
  readonly switchPorts: Iterable<{
    readonly unit: string;
    readonly addresses: Iterable<string>;
    readonly switch: string | undefined;
  }>;
}

/** Allocations that the database remembers. */
export interface AllocationRecord {
  readonly nodes: ReadonlyMap<string, readonly Cidr[]>;
  readonly pods: ReadonlyMap<
    string,
    { readonly node: string; readonly ips: readonly Ip[]; readonly mac: string | undefined }
  >;
}

/**
 * Where no Kubernetes API keeps allocations, the database is their record: a node's subnets are its router port's
 * networks, a pod's addresses its port's. A row that somebody bent out of shape is no record.
 */
export function allocationRecord(rows: RecordedRows): AllocationRecord {
  const nodes = new Map<string, readonly Cidr[]>();
  for (const { unit, name, networks } of rows.routerPorts) {
    const node = objectKey(unit, 'node');
    if (node === undefined || name !== routerPort(node)) continue;
    const subnets = [...networks].map(subnetOf);
    if (subnets.length > 0 && subnets.every(isPresent))
      nodes.set(
        node,
        subnets.sort((a, b) => a.family - b.family),
      );
  }
  const pods = new Map<string, { node: string; ips: readonly Ip[]; mac: string | undefined }>();
  for (const { unit, addresses, switch: node } of rows.switchPorts) {
    const pod = objectKey(unit, 'pod');
    const [mac, ...texts] = [...addresses][0]?.split(' ') ?? [];
    const ips = texts.map(parseIp);
    if (pod === undefined || node === undefined || ips.length === 0 || !ips.every(isPresent)) continue;
    pods.set(pod, { node, ips, mac });
  }
  return { nodes, pods };
}

function objectKey(unit: string, name: string): string | undefined {
  return unit.startsWith(`${name}/`) ? unit.slice(name.length + 1) : undefined;
}

function subnetOf(network: string): Cidr | undefined {
  const parsed = parseInterfaceCidr(network);
  return parsed && cidrOf(parsed.ip, parsed.prefix);
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
