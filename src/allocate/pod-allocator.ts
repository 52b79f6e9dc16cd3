import {
  type Cidr,
  cidrContains,
  FIRST_POD_HOST,
  formatCidr,
  hostAt,
  type Ip,
  ipKey,
  lastPodHost,
  macOf,
} from '../addresses/index.ts';
import type { Problem } from '../contracts/refusals.ts';
import type { ExcludedRanges } from './excluded.ts';
import { NextFit } from './next-fit.ts';
import { macResource, type PodResource } from './pod-ledger.ts';

/** Finds free addresses in the nodes' subnets. */
export class PodAllocator {
  readonly #isTaken: (resource: PodResource) => boolean;
  readonly #isParked: (ip: Ip) => boolean;
  readonly #excluded: ExcludedRanges;
  readonly #nextFits = new Map<string, NextFit>();
  /** Subnets without a free address: known until {@link startOver}. */
  readonly #full = new Set<NextFit>();

  /** Parked addresses are given away only where there are no others, excluded ones never. */
  constructor(
    isTaken: (resource: PodResource) => boolean,
    isParked: (ip: Ip) => boolean,
    excluded: ExcludedRanges,
  ) {
    this.#isTaken = isTaken;
    this.#isParked = isParked;
    this.#excluded = excluded;
  }

  /** Addresses may have become free. */
  startOver(): void {
    this.#full.clear();
  }

  /** An address in each of the node's subnets, of those that the pod `has` and free ones, or why there is none. */
  allocate(node: string, subnets: readonly Cidr[], has: readonly Ip[] = []): readonly Ip[] | Problem {
    const ips: Ip[] = [];
    for (const subnet of subnets) {
      const kept = has.find(ip => cidrContains(subnet, ip));
      if (kept) {
        ips.push(kept);
        continue;
      }
      const nextFit = this.#nextFit(subnet);
      const needsFreeMac = ips.length === 0;
      const isFree = (ip: Ip) =>
        !this.#isTaken(ipKey(ip)) && !(needsFreeMac && this.#isTaken(macResource(node, macOf(ip))));
      const ip =
        this.#find(subnet, nextFit, ip => isFree(ip) && !this.#isParked(ip)) ??
        this.#find(subnet, nextFit, isFree);
      if (!ip) {
        this.#full.add(nextFit);
        return this.#exhausted(node, subnet);
      }
      ips.push(ip);
    }
    return ips;
  }

  /** Allocation goes on behind an address that is known to be in use. */
  skip(subnet: Cidr, ip: Ip): void {
    this.#nextFit(subnet).skip(BigInt(ip.value) - BigInt(subnet.ip.value));
  }

  #find(subnet: Cidr, nextFit: NextFit, isFree: (ip: Ip) => boolean): Ip | undefined {
    if (this.#full.has(nextFit)) return undefined;
    const host = nextFit.next(n => {
      const ip = hostAt(subnet, n);
      const end = this.#excluded.endOf(ip);
      if (end !== undefined) return end - BigInt(subnet.ip.value);
      return isFree(ip) ? undefined : n;
    });
    return host === undefined ? undefined : hostAt(subnet, host);
  }

  #nextFit(subnet: Cidr): NextFit {
    const name = formatCidr(subnet);
    let nextFit = this.#nextFits.get(name);
    if (!nextFit) {
      nextFit = new NextFit(BigInt(FIRST_POD_HOST), lastPodHost(subnet));
      this.#nextFits.set(name, nextFit);
    }
    return nextFit;
  }

  #exhausted(node: string, subnet: Cidr): Problem {
    const [first, last] = [hostAt(subnet, FIRST_POD_HOST), hostAt(subnet, lastPodHost(subnet))];
    const excluded = this.#excluded.countBetween(first, last);
    const size = lastPodHost(subnet) - BigInt(FIRST_POD_HOST) + 1n - excluded;
    const but = excluded > 0n ? `, without the ${excluded} in excludeSubnets,` : '';
    const text = `subnet ${formatCidr(subnet)} of node ${node} is full: all ${size} addresses for pods${but} are in use; move pods to other nodes`;
    return { kind: 'AddressesExhausted', text };
  }
}
