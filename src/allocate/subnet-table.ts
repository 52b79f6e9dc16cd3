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

  holderOf(subnet: Cidr, but?: T): T | undefined {
    for (const { holder } of this.#overlaps(subnet)) if (holder !== but) return holder;
    return undefined;
  }

  same(a: Cidr, b: Cidr): boolean {
    return a.family === b.family && a.prefix === b.prefix && a.ip.value === b.ip.value;
  }

  /** A subnet in the table that shares an address with this one. */
  overlapping(subnet: Cidr): Held<T> | undefined {
    for (const found of this.#overlaps(subnet)) return found;
    return undefined;
  }

  *#overlaps(subnet: Cidr): Iterable<Held<T>> {
    for (const [prefix, subnets] of this.#byPrefix[subnet.family]) {
      if (prefix <= subnet.prefix) {
        const found = subnets.get(ipKey(cidrOf(subnet.ip, prefix).ip));
        if (found) yield found;
      } else {
        for (const smaller of subnets.values()) if (cidrContains(subnet, smaller.subnet.ip)) yield smaller;
      }
    }
  }
}

interface Held<T> {
  readonly subnet: Cidr;
  readonly holder: T;
}

type Subnets<T> = Map<IpKey, Held<T>>;
