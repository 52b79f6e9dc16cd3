import {
  type Cidr,
  formatCidr,
  formatInterface,
  formatIp,
  gatewayOf,
  macOf,
  managementIpOf,
} from '../../addresses/index.ts';
import type { DesiredColumns } from '../../ovsdb-state/row.ts';
import { attach, routerToSwitch } from '../emit.ts';
import type { RowEmitter, Unit } from '../facts.ts';
import { CLUSTER_ROUTER, managementPort, nodeSwitch, routerPort, switchToRouter } from '../names.ts';

/** A node's switch, its seam with the cluster router, and the port behind the node's management interface. */
export const nodeSwitches: Unit = {
  name: 'node',
  over: 'node',
  run(read, emit, node) {
    const allocation = read.get('nodeSubnets', node);
    if (allocation?.error !== undefined) emit.refuse(allocation.error.text);
    const { error } = read.get('nodeId', node) ?? {};
    if (error !== undefined) emit.refuse(error.text);
    const subnets = allocation?.subnets ?? [];
    const [first] = subnets;
    if (!first) return;

    const name = nodeSwitch(node);
    emit.row('Logical_Switch', name, { name, other_config: switchConfig(subnets) });
    routerToSwitch(
      emit,
      {
        name: CLUSTER_ROUTER,
        port: routerPort(node),
        mac: macOf(gatewayOf(first)),
        networks: subnets.map(subnet => formatInterface(gatewayOf(subnet), subnet.prefix)),
      },
      { name, port: switchToRouter(node) },
    );
    emitManagementPort(emit, node, subnets, first);
  },
};

function emitManagementPort(emit: RowEmitter, node: string, subnets: readonly Cidr[], first: Cidr): void {
  const name = managementPort(node);
  const ips = subnets.map(managementIpOf);
  emit.row('Logical_Switch_Port', name, {
    name,
    addresses: [[macOf(managementIpOf(first)), ...ips.map(formatIp)].join(' ')],
  });
  attach(
    emit,
    { table: 'Logical_Switch', key: nodeSwitch(node), column: 'ports' },
    'Logical_Switch_Port',
    name,
  );
}

/** `subnet`, `exclude_ips` and `ipv6_prefix` as ovn-nb(5) defines them for a Logical_Switch. */
function switchConfig(subnets: readonly Cidr[]): Readonly<Record<string, string>> {
  const config: Record<string, string> = {};
  for (const subnet of subnets) {
    if (subnet.family === 4) {
      config.subnet = formatCidr(subnet);
      config.exclude_ips = formatIp(managementIpOf(subnet));
    } else {
      config.ipv6_prefix = formatIp(subnet.ip);
    }
  }
  return config satisfies DesiredColumns;
}
