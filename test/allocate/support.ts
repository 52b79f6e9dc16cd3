import { type Cidr, formatCidr, formatIp, type Ip, parseCidr, parseIp } from '../../src/addresses/index.ts';
import {
  type AllocationConfig,
  ClusterAllocations,
  type NodeClaim,
  type PodClaim,
} from '../../src/allocate/index.ts';
import type { Problem } from '../../src/contracts/refusals.ts';

export function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (!parsed) throw new Error(`not an address: ${text}`);
  return parsed;
}

export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`not a network: ${text}`);
  return parsed;
}

/** `created` counts: the object with the lower one is older. */
export function node(name: string, requested?: readonly string[], more: Partial<NodeClaim> = {}): NodeClaim {
  return {
    created: '',
    uid: `uid-${name}`,
    requested: requested?.map(cidr),
    ...more,
  };
}

export function pod(
  name: string,
  onNode: string,
  ips?: readonly string[],
  { mac, ...more }: Partial<PodClaim> & { mac?: string } = {},
): PodClaim {
  const requested = ips && { ips: ips.map(ip), ...(mac === undefined ? {} : { mac }) };
  return { created: '', uid: `uid-${name}`, node: onNode, requested, ...more };
}

/** Allocations with all that they have said so far, as text. */
export class Cluster {
  readonly allocations: ClusterAllocations;
  readonly nodes = new Map<string, string>();
  readonly pods = new Map<string, string>();
  readonly record = {
    nodes: new Map<string, readonly Cidr[]>(),
    pods: new Map<string, { node: string; ips: readonly Ip[]; mac: string | undefined }>(),
  };
  readonly #nodeOf = new Map<string, string>();

  constructor(
    pools: readonly string[] = ['10.128.0.0/14 23'],
    joinSubnets: readonly string[] = ['100.64.0.0/16'],
    more: Partial<AllocationConfig> = {},
  ) {
    this.allocations = new ClusterAllocations({
      pools: pools.map(pool => {
        const [text = '', hostPrefix] = pool.split(' ');
        return { cidr: cidr(text), hostPrefix: Number(hostPrefix) };
      }),
      joinSubnets: joinSubnets.map(cidr),
      ...more,
    });
  }

  node(name: string, claim: NodeClaim | undefined): this {
    this.allocations.setNode(name, claim);
    return this;
  }

  pod(name: string, claim: PodClaim | undefined): this {
    this.allocations.setPod(name, claim);
    if (claim) this.#nodeOf.set(name, claim.node);
    return this;
  }

  /** Settles, and gives the names of what changed. */
  settle(): string[] {
    const { nodes, pods } = this.allocations.settle();
    for (const [name, result] of nodes) {
      put(this.nodes, name, result && [...result.subnets.map(formatCidr), ...errorOf(result)].join(' '));
      put(this.record.nodes, name, result && result.subnets.length > 0 ? result.subnets : undefined);
    }
    for (const [name, result] of pods) {
      const said = result && [
        ...result.ips.map(formatIp),
        ...(result.mac ?? '').split(' '),
        ...errorOf(result),
      ];
      put(this.pods, name, said?.filter(text => text !== '').join(' '));
      const { ips, mac } = result ?? { ips: [], mac: undefined };
      put(
        this.record.pods,
        name,
        ips.length > 0 ? { node: this.#nodeOf.get(name) ?? '', ips, mac } : undefined,
      );
    }
    return [...nodes.keys(), ...pods.keys()];
  }
}

function errorOf({ error }: { readonly error?: Problem }): readonly string[] {
  return error === undefined ? [] : [`! ${error.text}`];
}

function put<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
