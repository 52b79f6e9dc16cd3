import { formatUnit } from './marks.ts';
import type { TrackedRow } from './tracked-row.ts';

/** How many units are named, and how long the name of each may be. */
const UNITS = 3;
const LONGEST = 80;

/**
 * What a transaction is for, in one line for `ovsdb-tool show-log`: `INSTALLATION: 12 rows of pod/shop/web-1, …`. A row
 * that nobody wants any more is named by table and key.
 */
export function batchComment(installation: string, groups: readonly TrackedRow[]): string {
  const units = new Set<string>();
  for (const row of groups) {
    if (units.size > UNITS) break;
    units.add(printable(row.desired ? formatUnit(row.desired.unit) : String(row)));
  }
  const more = units.size > UNITS ? ', …' : '';
  const count = groups.length === 1 ? '1 row' : `${groups.length} rows`;
  return `kube-northbound ${printable(installation)}: ${count} of ${[...units].slice(0, UNITS).join(', ')}${more}`;
}

function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(/[\p{Control}\p{Surrogate}]/gu, '?');
}
