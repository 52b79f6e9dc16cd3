import { type Cidr, cidrContains, cidrOf, type IpKey, ipKey } from '../addresses/index.ts';
import type { Ledger } from './moves.ts';

/** Subnets and who has them. No two overlap. Looking one up costs one step for each prefix length in use. */
export class SubnetTable<T> implements Ledger<Cidr, T> {
  readonly #byPrefix = { 4: new Map<number, Subnets<T>>(), 6: new Map<number, Subnets<T>>() };

  add(subnet: Cidr, holder: T): void {
    const byPrefix = this.#byPrefix[subnet.family];
    let subnets = byPrefix.get(subnet.prefix);
    if (!subnets) {
      subnets = new Map();
      byPrefix.set(subnet.prefix, subnets);
    }
    subnets.set(ipKey(subnet.ip), { subnet, holder });
  }

  delete(subnet: Cidr): void {
    const subnets = this.#byPrefix[subnet.family].get(subnet.prefix);
    subnets?.delete(ipKey(subnet.ip));
    if (subnets?.size === 0) this.#byPrefix[subnet.family].delete(subnet.prefix);
  }

  holderOf(subnet: Cidr): T | undefined {
    return this.overlapping(subnet)?.holder;
  }

  same(a: Cidr, b: Cidr): boolean {
    return a.family === b.family && a.prefix === b.prefix && a.ip.value === b.ip.value;
  }

  /** A subnet in the table that shares an address with this one. */
  overlapping(subnet: Cidr): { readonly subnet: Cidr; readonly holder: T } | undefined {
    for (const [prefix, subnets] of this.#byPrefix[subnet.family]) {
      if (prefix <= subnet.prefix) {
        const found = subnets.get(ipKey(cidrOf(subnet.ip, prefix).ip));
        if (found) return found;
      } else {
        for (const smaller of subnets.values()) if (cidrContains(subnet, smaller.subnet.ip)) return smaller;
      }
    }
    return undefined;
  }
}

type Subnets<T> = Map<IpKey, { readonly subnet: Cidr; readonly holder: T }>;
