import type { Cidr, Ip } from '../addresses/index.ts';
import { lastOf } from '../addresses/index.ts';

/** Addresses from `first` to `last`, as numbers. No two of a family touch. */
interface Range {
  readonly first: bigint;
  last: bigint;
}

/** Addresses that nobody is given who does not have them already. */
export class ExcludedRanges {
  readonly #ranges: { readonly 4: readonly Range[]; readonly 6: readonly Range[] };

  constructor(subnets: readonly Cidr[]) {
    this.#ranges = { 4: merged(subnets, 4), 6: merged(subnets, 6) };
  }

  /** The last address, as a number, of the range around an address; undefined where it is not excluded. */
  endOf(ip: Ip): bigint | undefined {
    const ranges = this.#ranges[ip.family];
    if (ranges.length === 0) return undefined;
    const value = BigInt(ip.value);
    return ranges.find(({ first, last }) => first <= value && value <= last)?.last;
  }

  /** As {@link endOf}, of a range that holds the whole subnet. */
  endOfCover(subnet: Cidr): bigint | undefined {
    const end = this.endOf(subnet.ip);
    return end !== undefined && end >= BigInt(lastOf(subnet).value) ? end : undefined;
  }

  /** How many addresses from `first` to `last` are excluded. */
  countBetween(first: Ip, last: Ip): bigint {
    let count = 0n;
    for (const range of this.#ranges[first.family]) {
      const from = range.first > BigInt(first.value) ? range.first : BigInt(first.value);
      const to = range.last < BigInt(last.value) ? range.last : BigInt(last.value);
      if (from <= to) count += to - from + 1n;
    }
    return count;
  }
}

function merged(subnets: readonly Cidr[], family: 4 | 6): readonly Range[] {
  const ranges: Range[] = [];
  const sorted = subnets
    .filter(subnet => subnet.family === family)
    .map(subnet => ({ first: BigInt(subnet.ip.value), last: BigInt(lastOf(subnet).value) }))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  for (const range of sorted) {
    const before = ranges.at(-1);
    if (!before || range.first > before.last + 1n) ranges.push(range);
    else if (range.last > before.last) before.last = range.last;
  }
  return ranges;
}
