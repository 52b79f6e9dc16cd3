import { rounded } from '../statistics.ts';

/** How values spread, to a tenth. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => rounded(percentile(sorted, percent), 1);
  return { p50: at(50), p99: at(99), max: at(100) };
}

/** The least of the sorted values that so many percent of them do not exceed (nearest rank). NaN of none. */
export function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}
