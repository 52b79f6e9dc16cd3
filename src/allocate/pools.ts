import {
  type Cidr,
  cidrContains,
  cidrOf,
  cidrsOverlap,
  FIRST_POD_HOST,
  formatCidr,
  hostAt,
  type Ip,
  lastOf,
  lastPodHost,
} from '../addresses/index.ts';
import type { Problem } from '../contracts/refusals.ts';
import { ExcludedRanges } from './excluded.ts';
import { NextFit } from './next-fit.ts';
import type { AllocationConfig, Pool } from './types.ts';

/** The subnets to give to nodes that name none. */
export class Pools {
  readonly #joinSubnets: readonly Cidr[];
  readonly #excluded: ExcludedRanges;
  readonly #pools: readonly (Pool & { readonly nextFit: NextFit })[];

  constructor({ pools, joinSubnets, excluded = [] }: AllocationConfig) {
    this.#joinSubnets = joinSubnets;
    this.#excluded = new ExcludedRanges(excluded);
    this.#pools = pools.map(pool => ({
      ...pool,
      nextFit: new NextFit(0n, (1n << BigInt(pool.hostPrefix - pool.cidr.prefix)) - 1n),
    }));
  }

  /**
   * A subnet of each family that there are pools for, IPv4 first, of those that the node `has` and free ones, or why
   * there is none. `takenBy` gives a subnet in use that overlaps the candidate.
   */
  allocate(
    takenBy: (candidate: Cidr) => Cidr | undefined,
    has: readonly Cidr[] = [],
  ): readonly Cidr[] | Problem {
    if (this.#pools.length === 0)
      return exhaustion('there is no pool to take a subnet from; set clusterSubnets');
    const subnets: Cidr[] = [];
    for (const family of [4, 6]) {
      const kept = has.find(subnet => subnet.family === family);
      if (kept) {
        subnets.push(kept);
        continue;
      }
      const pools = this.#pools.filter(({ cidr }) => cidr.family === family);
      if (pools.length === 0) continue;
      for (const { cidr, hostPrefix } of pools) {
        const small = tooSmall(subnetAt(cidr, hostPrefix, 0n));
        if (small !== undefined) return exhaustion(`${small}; lower hostPrefix in clusterSubnets`);
      }
      const subnet = this.#firstFree(pools, takenBy);
      if (!subnet) return exhaustion(this.#describeUse(pools));
      subnets.push(subnet);
    }
    return subnets;
  }

  /** The subnet to give away that an address lies in. */
  subnetAround(ip: Ip): Cidr | undefined {
    const pool = this.#pools.find(({ cidr }) => cidrContains(cidr, ip));
    return pool && cidrOf(ip, pool.hostPrefix);
  }

  /** The join subnet that overlaps a subnet. */
  joinSubnetIn(subnet: Cidr): Cidr | undefined {
    return this.#joinSubnets.find(join => cidrsOverlap(join, subnet));
  }

  /** Allocation goes on behind a subnet that is known to be in use. */
  skip(subnet: Cidr): void {
    for (const { cidr, hostPrefix, nextFit } of this.#pools) {
      if (cidr.prefix <= subnet.prefix && cidrsOverlap(cidr, subnet))
        nextFit.skip(indexIn(cidr, hostPrefix, subnet.ip.value));
    }
  }

  #firstFree(
    pools: readonly (Pool & { readonly nextFit: NextFit })[],
    takenBy: (candidate: Cidr) => Cidr | undefined,
  ): Cidr | undefined {
    for (const { cidr, hostPrefix, nextFit } of pools) {
      const found = nextFit.next(index => {
        const candidate = subnetAt(cidr, hostPrefix, index);
        const taken = this.joinSubnetIn(candidate) ?? takenBy(candidate);
        if (taken) return taken.prefix < hostPrefix ? indexIn(cidr, hostPrefix, lastOf(taken).value) : index;
        const end = this.#excluded.endOfCover(candidate);
        return end === undefined ? undefined : indexIn(cidr, hostPrefix, end + 1n) - 1n;
      });
      if (found !== undefined) return subnetAt(cidr, hostPrefix, found);
    }
    return undefined;
  }

  #describeUse(pools: readonly Pool[]): string {
    const sizes = pools.map(
      ({ cidr, hostPrefix }) =>
        `all ${2 ** (hostPrefix - cidr.prefix)} subnets of /${hostPrefix} in ${formatCidr(cidr)}`,
    );
    const isCut = pools.some(({ cidr }) => this.#excluded.countBetween(cidr.ip, lastOf(cidr)) > 0n);
    return `${sizes.join(' and ')} are in use${isCut ? ' or in excludeSubnets' : ''}; add a pool to clusterSubnets`;
  }
}

/** Why a subnet cannot serve a node; undefined where it can. */
export function tooSmall(subnet: Cidr): string | undefined {
  if (lastPodHost(subnet) >= BigInt(FIRST_POD_HOST)) return undefined;
  return `subnet ${formatCidr(subnet)} is too small: it must have room for the gateway, the management port and a pod`;
}

function subnetAt(pool: Cidr, hostPrefix: number, index: bigint): Cidr {
  return cidrOf(hostAt(pool, index << hostBits(pool, hostPrefix)), hostPrefix);
}

function indexIn(pool: Cidr, hostPrefix: number, address: bigint | number): bigint {
  return (BigInt(address) - BigInt(pool.ip.value)) >> hostBits(pool, hostPrefix);
}

function hostBits(pool: Cidr, hostPrefix: number): bigint {
  return BigInt((pool.family === 4 ? 32 : 128) - hostPrefix);
}

function exhaustion(text: string): Problem {
  return { kind: 'SubnetsExhausted', text };
}
