import {
  type Cidr,
  cidrContains,
  cidrOf,
  formatInterface,
  formatIp,
  hostAt,
  type Ip,
  lastOf,
  parseIp,
} from '../../addresses/index.ts';

/** What a sandbox needs to know of a Node. */
export interface NodeInput {
  readonly name: string;
  /** The OVS `system-id` of its chassis. */
  readonly chassis: string;
  /** InternalIPs; none where the sandbox is to choose. */
  readonly ips: readonly string[];
}

/** A host of the sandbox: a network namespace with an OVS and an ovn-controller of its own. */
export interface SandboxNode {
  readonly name: string;
  readonly chassis: string;
  /** Short name for files and interfaces: `n1`, `n2`, … */
  readonly id: string;
  readonly netns: string;
  /** The tunnel address, without prefix length. */
  readonly encapIp: string;
  /** The addresses of the outside bridge, with prefix length. */
  readonly addresses: readonly string[];
}

/** Every name and address of a sandbox. JSON, so that it can be kept. */
export interface Topology {
  readonly name: string;
  /** Prefix length of the network that tunnels and databases use. */
  readonly underlayPrefix: number;
  /** Servers of each of the two databases; three are a RAFT cluster. */
  readonly databaseServers: 1 | 3;
  /** The namespace of the Linux bridges that join the hosts. */
  readonly fabric: string;
  readonly central: { readonly name: string; readonly netns: string; readonly ip: string };
  readonly outside: { readonly netns: string; readonly addresses: readonly string[] };
  readonly nodes: readonly SandboxNode[];
}

/** Nodes that no sandbox can be made of. The message names the Node. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
}

/** A sandbox's name: it becomes part of the names of namespaces and folders. */
export const SANDBOX_NAME = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/** The central host's name and the underlay are those of ovn-fake-multinode. */
const CENTRAL = 'ovn-central-az1';
const UNDERLAYS = { first: 168, last: 199, prefix: 16 } as const;
const CENTRAL_HOST = 2;
/** Addresses of Nodes that have none: 172.31.0.11, fd31::11 for the first. */
const GENERATED_FROM = 10;
/** The outside's networks are at most this long, so that there is room for it beside the nodes. */
const LONGEST = { 4: 24, 6: 64 } as const;
const OUTSIDE_HOST = { 4: 254, 6: 0x254 } as const;

interface PlacedNode extends NodeInput {
  readonly parsed: readonly Ip[];
}

/** Lays a sandbox out. Pure. Throws {@link TopologyError}. */
export function planTopology(
  name: string,
  inputs: readonly NodeInput[],
  databaseServers: 1 | 3 = 1,
): Topology {
  const nodes = inputs.map((input, index) => placeNode(input, index + 1));
  const taken = claimAddresses(nodes);
  const underlay = chooseUnderlay([...taken.values()].map(({ ip }) => ip));
  const prefixes = { 4: commonPrefix(nodes, 4), 6: commonPrefix(nodes, 6) };
  return {
    name,
    underlayPrefix: underlay.prefix,
    databaseServers,
    fabric: netnsName(name, 'fabric'),
    central: {
      name: CENTRAL,
      netns: netnsName(name, 'central'),
      ip: formatIp(hostAt(underlay, CENTRAL_HOST)),
    },
    outside: { netns: netnsName(name, 'outside'), addresses: outsideAddresses(nodes, taken, prefixes) },
    nodes: nodes.map(({ name: node, chassis, parsed }, index) => ({
      name: node,
      chassis,
      id: `n${index + 1}`,
      netns: netnsName(name, `n${index + 1}`),
      encapIp: formatIp(hostAt(underlay, CENTRAL_HOST + 1 + index)),
      addresses: parsed.map(ip => formatInterface(ip, prefixes[ip.family])),
    })),
  };
}

/** The namespaces of the hosts; pods have theirs beside them. */
export function hostNamespaces({ fabric, central, outside, nodes }: Topology): readonly string[] {
  return [fabric, central.netns, outside.netns, ...nodes.map(node => node.netns)];
}

/** Names for `--nodes N`, as ovn-fake-multinode gives them. */
export function generatedNodes(count: number): readonly NodeInput[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `ovn-chassis-${index + 1}`;
    return { name, chassis: name, ips: [] };
  });
}

/** A namespace's name. What follows the last dash has none, so no two sandboxes' names can meet. */
export function netnsName(sandbox: string, host: string): string {
  return `knb-${sandbox}-${host}`;
}

function placeNode(input: NodeInput, number: number): PlacedNode {
  const ips = input.ips.length > 0 ? input.ips : generatedAddresses(number);
  const parsed = ips.map(text => {
    const ip = parseIp(text);
    if (!ip) throw new TopologyError(`Node ${input.name}: the InternalIP "${text}" is no IP address`);
    return ip;
  });
  return { ...input, parsed };
}

function generatedAddresses(number: number): readonly string[] {
  const host = GENERATED_FROM + number;
  // Written alike, 11 and ::11, though the one is decimal and the other hexadecimal: it is for people.
  return [`172.31.${Math.floor(host / 250)}.${host % 250}`, `fd31::${host}`];
}

function claimAddresses(nodes: readonly PlacedNode[]): ReadonlyMap<string, { node: string; ip: Ip }> {
  const taken = new Map<string, { node: string; ip: Ip }>();
  for (const { name, parsed } of nodes) {
    for (const ip of parsed) {
      const text = formatIp(ip);
      const holder = taken.get(text);
      if (holder)
        throw new TopologyError(`Node ${name}: the InternalIP ${text} is Node ${holder.node}'s as well`);
      taken.set(text, { node: name, ip });
    }
  }
  return taken;
}

function chooseUnderlay(ips: readonly Ip[]): Cidr {
  for (let second = UNDERLAYS.first; second <= UNDERLAYS.last; second += 1) {
    const ip = parseIp(`170.${second}.0.0`);
    const cidr = ip && cidrOf(ip, UNDERLAYS.prefix);
    if (cidr && !ips.some(taken => cidrContains(cidr, taken))) return cidr;
  }
  throw new TopologyError(
    'the InternalIPs of the Nodes leave no network 170.168.0.0/16 to 170.199.0.0/16 free',
  );
}

function commonPrefix(nodes: readonly PlacedNode[], family: 4 | 6): number {
  const ips = ipsOf(nodes, family);
  const [first] = ips;
  let prefix: number = LONGEST[family];
  while (first && !ips.every(ip => cidrContains(cidrOf(first, prefix), ip))) prefix -= 1;
  return prefix;
}

function outsideAddresses(
  nodes: readonly PlacedNode[],
  taken: ReadonlyMap<string, unknown>,
  prefixes: Readonly<Record<4 | 6, number>>,
): readonly string[] {
  return ([4, 6] as const).flatMap(family => {
    const [first] = ipsOf(nodes, family);
    if (!first) return [];
    const network = cidrOf(first, LONGEST[family]);
    for (let host: number = OUTSIDE_HOST[family]; host > 0; host -= 1) {
      const ip = hostAt(network, host);
      if (!taken.has(formatIp(ip))) return [formatInterface(ip, prefixes[family])];
    }
    throw new TopologyError(`the Nodes leave no address for the outside up to ${formatIp(lastOf(network))}`);
  });
}

function ipsOf(nodes: readonly PlacedNode[], family: 4 | 6): readonly Ip[] {
  return nodes.flatMap(({ parsed }) => parsed.filter(ip => ip.family === family));
}
