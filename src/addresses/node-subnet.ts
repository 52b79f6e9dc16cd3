import { type Cidr, hostAt, lastOf, sizeOf } from './cidr.ts';
import type { Ip } from './ip.ts';

/** The first address that a node's subnet can give to a pod: behind network address, gateway and management port. */
export const FIRST_POD_HOST = 3;

/** The cluster router's address in a node's subnet. Throws RangeError where the subnet has a single address. */
export function gatewayOf(subnet: Cidr): Ip {
  return hostAt(subnet, 1);
}

/** The address of the node's management port in its subnet. Throws RangeError where the subnet is too small. */
export function managementIpOf(subnet: Cidr): Ip {
  return hostAt(subnet, 2);
}

/** The number of a node subnet's last address that a pod may have. Less than {@link FIRST_POD_HOST}: there is none. */
export function lastPodHost(subnet: Cidr): bigint {
  return sizeOf(subnet) - (subnet.family === 4 ? 2n : 1n);
}

/** What an address of a node's subnet is reserved for; undefined where a pod may have it. */
export function reservedFor(subnet: Cidr, ip: Ip): string | undefined {
  if (ip.value === subnet.ip.value) return 'the network address';
  if (ip.value === gatewayOf(subnet).value) return "the node's gateway";
  if (ip.value === managementIpOf(subnet).value) return "the node's management port";
  if (ip.family === 4 && ip.value === lastOf(subnet).value) return 'the broadcast address';
  return undefined;
}
