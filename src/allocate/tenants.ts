import { type Cidr, cidrContains, formatCidr, type Ip } from '../addresses/index.ts';
import type { Pools } from './pools.ts';

/** Which pods run where. */
export interface Tenants {
  /** The names of the nodes that pods are on, whether there are such nodes or not. */
  nodes(): Iterable<string>;
  /** The addresses that pods run with on a node. */
  runningOn(node: string): Iterable<Ip>;
}

/**
 * The subnets, one of each family at most, IPv4 first, that a node must have for its pods to run on: the first `known` one
 * that any of them runs in, else that one of the pools' in which most of them do.
 */
export function homesOf(
  node: string,
  known: readonly Cidr[],
  tenants: Tenants,
  pools: Pools,
): readonly Cidr[] {
  const ips = [...tenants.runningOn(node)];
  return [4, 6].flatMap(family => {
    const ofFamily = ips.filter(ip => ip.family === family);
    const lived = known.find(
      subnet => subnet.family === family && ofFamily.some(ip => cidrContains(subnet, ip)),
    );
    return lived ?? mostOf(ofFamily.flatMap(ip => pools.subnetAround(ip) ?? [])) ?? [];
  });
}

/** The subnet that comes most often; of several that do, the one whose text is first. */
function mostOf(subnets: readonly Cidr[]): Cidr | undefined {
  const counts = new Map<string, { readonly subnet: Cidr; count: number }>();
  for (const subnet of subnets) {
    const text = formatCidr(subnet);
    const entry = counts.get(text);
    if (entry) entry.count++;
    else counts.set(text, { subnet, count: 1 });
  }
  const sorted = [...counts].sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1));
  return sorted[0]?.[1].subnet;
}
