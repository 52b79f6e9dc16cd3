import type { Atom } from '../ovsdb-client/types.ts';
import type { KeyFight, TrackedRow } from './tracked-row.ts';

/** What somebody else changes back more often than this within {@link WINDOW_MS} is a fight. */
const PATIENCE = 3;
const WINDOW_MS = 60_000;
const LONGEST_MS = 30_000;
const SHORTEST_MS = 1_000;

/** Notes a repair of a row. The first ones are immediate, further ones wait ever longer. True: from now on. */
export function noteRepair(row: TrackedRow, now: number): boolean {
  const recent = row.repairs && now - row.repairs.last < WINDOW_MS ? row.repairs.count : 0;
  const count = recent + 1;
  const delay = count < PATIENCE ? 0 : Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (count - PATIENCE));
  row.repairs = { count, last: now, notBefore: now + delay };
  return count === PATIENCE;
}

/** How long a row that failed for the `attempts`-th time rests, in milliseconds. */
export function failureDelay(attempts: number): number {
  return Math.min(LONGEST_MS, 250 * 2 ** Math.min(attempts - 1, 10));
}

/**
 * Whether a map key of ours may be put right now. `isRepair`: somebody else changed it. The third time within a
 * minute it is let go, until the wish for it changes.
 */
export function mayWriteKey(
  row: TrackedRow,
  place: string,
  values: { readonly wanted: Atom | undefined; readonly found: Atom | undefined },
  isRepair: boolean,
  now: number,
): boolean {
  const fight = row.fights?.get(place);
  if (fight?.letGo) {
    if (fight.letGo.wanted === values.wanted) {
      fight.letGo = values;
      return false;
    }
    row.fights?.delete(place);
    return true;
  }
  if (!isRepair) return true;
  const repairs = [...(fight?.repairs ?? []), now].filter(time => now - time < WINDOW_MS);
  const next: KeyFight = { repairs, letGo: repairs.length < PATIENCE ? undefined : values };
  row.fights ??= new Map();
  row.fights.set(place, next);
  return next.letGo === undefined;
}

/** A key is as the wish has it: a fight that we gave up is over. */
export function keySettled(row: TrackedRow, place: string): void {
  if (row.fights?.get(place)?.letGo) row.fights.delete(place);
  if (row.fights?.size === 0) row.fights = undefined;
}
