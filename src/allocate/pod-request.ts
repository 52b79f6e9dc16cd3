import {
  type Cidr,
  cidrContains,
  compareIps,
  formatCidr,
  formatIp,
  gatewayOf,
  type Ip,
  macOf,
  managementIpOf,
  reservedFor,
} from '../addresses/index.ts';
import { POD_NETWORKS } from '../contracts/annotations.ts';
import type { Problem } from '../contracts/refusals.ts';
import type { PodHolding } from './types.ts';

/** The subnet that an address lies in. */
function subnetOf(subnets: readonly Cidr[], ip: Ip): Cidr | undefined {
  return subnets.find(subnet => cidrContains(subnet, ip));
}

/** Why a pod on a node with these subnets cannot have what it requests, whoever else has it; undefined where it can. */
export function requestError(subnets: readonly Cidr[], holding: PodHolding): Problem | undefined {
  const text = unusable(subnets, holding);
  return text === undefined ? undefined : { kind: 'AddressUnusable', text };
}

function unusable(subnets: readonly Cidr[], { node, ips, mac }: PodHolding): string | undefined {
  if (new Set(ips.map(ip => ip.family)).size < ips.length) {
    return `${ips.map(formatIp).join(' and ')}: a pod has one address of each family at most; request one`;
  }
  for (const ip of ips) {
    const subnet = subnetOf(subnets, ip);
    if (!subnet) {
      const nodes = subnets.map(formatCidr).join(' or ');
      return `address ${formatIp(ip)} is outside of ${nodes}, the subnet of node ${node}; request one inside in ${POD_NETWORKS}`;
    }
    const role = reservedFor(subnet, ip);
    if (role !== undefined)
      return `address ${formatIp(ip)} is ${role} in ${formatCidr(subnet)}; request another in ${POD_NETWORKS}`;
  }
  if (mac !== undefined && nodeMacs(subnets).includes(mac)) {
    return `MAC ${mac} is that of node ${node}'s gateway or management port; request another in ${POD_NETWORKS}`;
  }
  return undefined;
}

/** Whether a pod may go on having this address on a node with these subnets. */
export function isStillValid(subnets: readonly Cidr[], ip: Ip): boolean {
  const subnet = subnetOf(subnets, ip);
  return subnet !== undefined && reservedFor(subnet, ip) === undefined;
}

/** Whether there is an address in each subnet. */
export function hasOneInEach(subnets: readonly Cidr[], ips: readonly Ip[]): boolean {
  return subnets.every(subnet => ips.some(ip => cidrContains(subnet, ip)));
}

/** The MACs of the node's own ports in its switch: those that follow from its first subnet's addresses. */
function nodeMacs(subnets: readonly Cidr[]): readonly string[] {
  const [first] = subnets;
  return first ? [macOf(gatewayOf(first)), macOf(managementIpOf(first))] : [];
}

/** Whether two pods' addresses are the same; both IPv4 first. */
export function sameIps(a: readonly Ip[], b: readonly Ip[]): boolean {
  return a.length === b.length && a.every((ip, i) => compareIps(ip, b[i] ?? ip) === 0);
}
