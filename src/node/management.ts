import {
  type Cidr,
  cidrContains,
  formatCidr,
  formatIp,
  parseCidr,
  parseInterfaceCidr,
} from '../addresses/index.ts';
import type { Log } from '../contracts/log.ts';
import { INTEGRATION_BRIDGE, MANAGEMENT_INTERFACE, managementPort, routerPort } from '../contracts/names.ts';
import type { RowDelta } from '../ovsdb-client/index.ts';
import { Coalesced } from './coalesced.ts';
import { type Database, findRow, settle, textOf } from './database.ts';
import { hasManagementInterface, managementPortOperations } from './ovs/management-port.ts';
import { type Addressing, addressingOn, type PortBindings } from './southbound.ts';
import {
  type InterfaceState,
  interfaceChanges,
  ROUTE_PROTOCOL,
  readInterfaceState,
} from './system/interface.ts';
import type { Run } from './system/run.ts';
import { setIpv6 } from './system/veth.ts';

export interface ManagementContext {
  readonly node: string;
  readonly mtu: number;
  readonly clusterSubnets: readonly Cidr[];
  readonly ovs: Database;
  readonly bindings: PortBindings;
  readonly run: Run;
  readonly log: Log;
}

/** Keeps the management port, its addresses and its routes as the southbound says. */
export class Management {
  readonly #context: ManagementContext;
  readonly #reconcile: Coalesced;

  constructor(context: ManagementContext) {
    this.#context = context;
    this.#reconcile = new Coalesced(
      () => reconcile(context),
      error => context.log.error({ error }, `${MANAGEMENT_INTERFACE} is not as it should be`),
    );
  }

  /** Looks at once and after each change that matters; gives the function that ends it. */
  start(): () => Promise<void> {
    const { ovs, bindings, node } = this.#context;
    const lookAfter = (matters: (delta: RowDelta) => boolean) => (changes: readonly RowDelta[]) => {
      if (changes.length === 0 || changes.some(matters)) this.#reconcile.request();
    };
    const ends = [
      ovs.onChange(lookAfter(concernsLocalPort)),
      bindings.database.onChange(lookAfter(delta => concernsAddressing(delta, node))),
    ];
    this.#reconcile.request();
    return async () => {
      for (const end of ends) end();
      await this.#reconcile.end();
    };
  }

  /** Looks again: the kernel's side has changed. */
  look(): void {
    this.#reconcile.request();
  }
}

function concernsLocalPort({ table, row }: RowDelta): boolean {
  return table === 'Bridge' || textOf(row, 'name') === MANAGEMENT_INTERFACE;
}

function concernsAddressing({ row }: RowDelta, node: string): boolean {
  const port = textOf(row, 'logical_port');
  return port === managementPort(node) || port.startsWith(routerPort(''));
}

async function reconcile(context: ManagementContext): Promise<void> {
  const { ovs, bindings, node, mtu } = context;
  // A mirror that is not complete says nothing about what is missing.
  if (!ovs.connected || !bindings.database.connected) return;
  const bridge = findRow(ovs, 'Bridge', 'name', INTEGRATION_BRIDGE);
  if (!bridge) return;
  const addressing = managementAddressing(context);
  const wish = addressing && { node, mac: addressing.mac, mtu };
  if (await settle(ovs, () => managementPortOperations(ovs, bridge, wish))) {
    context.log.info({ wish }, `${MANAGEMENT_INTERFACE} written to Open vSwitch`);
  }
  if (addressing && hasManagementInterface(ovs)) await configure(context, addressing);
}

function managementAddressing({ bindings, node, log }: ManagementContext): Addressing | undefined {
  const binding = bindings.get(managementPort(node));
  if (!binding) return undefined;
  const lookup = addressingOn(bindings, node, binding);
  if ('found' in lookup) return lookup.found;
  log.warn({ node }, `${MANAGEMENT_INTERFACE}: ${lookup.missing}`);
  return undefined;
}

/** The node's route to the cluster: its subnets, and those of nodes that lie outside them. */
export function managementState(
  addressing: Addressing,
  clusterSubnets: readonly Cidr[],
  nodeSubnets: readonly string[],
): InterfaceState {
  const own = addressing.ips.flatMap(({ address }) => parseCidr(address) ?? []);
  const destinations = new Map(clusterSubnets.map(cidr => [formatCidr(cidr), cidr]));
  for (const cidr of nodeSubnets.flatMap(text => parseCidr(text) ?? [])) {
    const covered = [...clusterSubnets, ...own].some(
      other => other.prefix <= cidr.prefix && cidrContains(other, cidr.ip),
    );
    if (!covered) destinations.set(formatCidr(cidr), cidr);
  }
  // The kernel itself has the route to the node's own subnet.
  for (const cidr of own) destinations.delete(formatCidr(cidr));
  const routes = [...destinations].flatMap(([to, cidr]) => {
    const via = addressing.ips.find(({ address }) => parseCidr(address)?.family === cidr.family)?.gateway;
    return via === undefined ? [] : [{ to, via }];
  });
  return { up: true, addresses: addressing.ips.map(({ address }) => canonical(address)), routes };
}

async function configure(context: ManagementContext, addressing: Addressing): Promise<void> {
  const { run, bindings, clusterSubnets, log } = context;
  const name = MANAGEMENT_INTERFACE;
  const show = (...what: readonly string[]) => run(['ip', '-json', ...what, 'dev', name]);
  const proto = ['proto', String(ROUTE_PROTOCOL)];
  const actual = readInterfaceState(await show('address', 'show'), [
    await run(['ip', '-json', 'route', 'show', 'dev', name, ...proto]),
    await run(['ip', '-json', '-6', 'route', 'show', 'dev', name, ...proto]),
  ]);
  const wanted = managementState(addressing, clusterSubnets, bindings.nodeSubnets());
  const changes = interfaceChanges(name, wanted, actual);
  if (changes === '') return;
  await run(setIpv6(name, { accept_ra: 0 }));
  await run(['ip', '-batch', '-'], changes);
  log.info({ addresses: wanted.addresses, routes: wanted.routes }, `${name} configured`);
}

function canonical(address: string): string {
  const parsed = parseInterfaceCidr(address);
  return parsed ? `${formatIp(parsed.ip)}/${parsed.prefix}` : address;
}
