import type { CniPod } from '../contracts/cni.ts';
import { podPort, routerPort } from '../contracts/names.ts';
import type { Row } from '../ovsdb-client/index.ts';
import { type Database, entryOf, findRow, membersOf, textOf } from './database.ts';
import type { OwnNode } from './own-node.ts';

/** What the agent reads of a southbound Port_Binding (ovn-sb(5)). */
export interface PortBinding {
  readonly uuid: string;
  readonly logicalPort: string;
  readonly mac: string;
  /** As the `mac` column has them: bare for switch ports, with a prefix length for router ports. */
  readonly addresses: readonly string[];
  /** `options:iface-id-ver`: the uid of the pod that the port belongs to. */
  readonly version: string | undefined;
  /** `options:requested-chassis`. */
  readonly chassis: string | undefined;
  /** UUID of the Chassis whose ovn-controller has claimed the port; undefined where none has. */
  readonly claimedBy: string | undefined;
}

/** The southbound's Port_Bindings by logical port, kept along with the mirror. */
export class PortBindings {
  readonly database: Database;
  readonly #byPort = new Map<string, PortBinding>();

  constructor(database: Database) {
    this.database = database;
    for (const row of database.rows('Port_Binding')) this.#put(row);
    database.onChange(changes => {
      for (const { kind, table, row } of changes) {
        if (table !== 'Port_Binding') continue;
        if (kind === 'delete') this.#drop(row);
        else this.#put(row);
      }
    });
  }

  get(logicalPort: string): PortBinding | undefined {
    return this.#byPort.get(logicalPort);
  }

  /** The addresses, with prefix length, of every node's router port: the subnets of all nodes. */
  nodeSubnets(): readonly string[] {
    const prefix = routerPort('');
    const found = [...this.#byPort.values()].filter(binding => binding.logicalPort.startsWith(prefix));
    return found.flatMap(binding => binding.addresses);
  }

  #put(row: Row): void {
    const binding = portBinding(row);
    this.#byPort.set(binding.logicalPort, binding);
  }

  #drop(row: Row): void {
    const { logicalPort, uuid } = portBinding(row);
    // The row that took its place may have come first.
    if (this.#byPort.get(logicalPort)?.uuid === uuid) this.#byPort.delete(logicalPort);
  }
}

/** Reads a Port_Binding. Its `mac` column holds "MAC ADDRESS…" in one text. */
function portBinding(row: Row): PortBinding {
  const [mac = '', ...addresses] = (membersOf(row, 'mac')[0] ?? '').split(' ').filter(word => word !== '');
  return {
    uuid: row.uuid,
    logicalPort: textOf(row, 'logical_port'),
    mac,
    addresses,
    version: entryOf(row, 'options', 'iface-id-ver'),
    chassis: entryOf(row, 'options', 'requested-chassis'),
    claimedBy: membersOf(row, 'chassis')[0],
  };
}

/** The Chassis row of this name, which ovn-controller makes when it has reached the southbound. */
export function chassisRow(southbound: Database, name: string): Row | undefined {
  return findRow(southbound, 'Chassis', 'name', name);
}

/** An interface's addresses as the southbound gives them. */
export interface Addressing {
  readonly mac: string;
  readonly ips: readonly { readonly address: string; readonly gateway: string }[];
}

/** Addresses of a port on a node's switch, or why there are none yet. */
export type Lookup<T> = { readonly found: T } | { readonly missing: string };

/** A pod's addresses and the uid of the instance that owns them, or why this node cannot have it (yet). */
export function podAddressing(
  bindings: PortBindings,
  { name: node, chassisId }: OwnNode,
  pod: CniPod,
): Lookup<Addressing & { readonly uid: string }> {
  const port = podPort(pod.namespace, pod.name);
  const binding = bindings.get(port);
  if (!binding) return { missing: `the southbound database has no port ${port}` };
  const uid = binding.version ?? '';
  if (pod.uid !== undefined && pod.uid !== uid) {
    return { missing: `port ${port} belongs to the pod with uid ${uid || '(none)'}, not to ${pod.uid}` };
  }
  const { chassis } = binding;
  if (chassis !== undefined && chassis !== chassisId && chassis !== node) {
    return { missing: `port ${port} is for chassis ${chassis}, and this one is ${chassisId}` };
  }
  const addressing = addressingOn(bindings, node, binding);
  return 'found' in addressing ? { found: { ...addressing.found, uid } } : addressing;
}

/** MAC, addresses with the prefix length of the node's subnets, and gateways of a port on the node's switch. */
export function addressingOn(bindings: PortBindings, node: string, binding: PortBinding): Lookup<Addressing> {
  if (binding.addresses.length === 0) return { missing: `port ${binding.logicalPort} has no addresses yet` };
  const router = bindings.get(routerPort(node));
  if (!router) return { missing: `the southbound database has no port ${routerPort(node)}` };
  const ips = [];
  for (const ip of binding.addresses) {
    const [gateway, prefix] = router.addresses.find(text => isV6(text) === isV6(ip))?.split('/') ?? [];
    if (gateway === undefined || prefix === undefined) {
      return { missing: `port ${routerPort(node)} has no IPv${isV6(ip) ? 6 : 4} gateway for ${ip}` };
    }
    ips.push({ address: `${ip}/${prefix}`, gateway });
  }
  return { found: { mac: binding.mac, ips } };
}

function isV6(address: string): boolean {
  return address.includes(':');
}
