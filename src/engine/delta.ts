import { winnerOf } from './claims.ts';
import { deepEqual } from './deep-equal.ts';
import type { MemberOutput, RowEntry, RowOutput } from './output.ts';
import type { MemberChange, OutputDelta, UnitId } from './types.ts';
import { compareUnits } from './unit-id.ts';

/** A row, and those of its members that were touched, as they were before the run; undefined where there was none. */
export interface TouchedRow<U extends UnitId, C, M> {
  readonly row: RowOutput<U, C> | undefined;
  members: Map<string, Map<string, MemberOutput<U, M> | undefined>> | undefined;
}

/** Compares touched rows with what they are now. */
export function deltaOf<U extends UnitId, C, M>(
  touchedRows: Iterable<readonly [RowEntry<U, C, M>, TouchedRow<U, C, M>]>,
): OutputDelta {
  const rows: { table: string; key: string }[] = [];
  const members: MemberChange[] = [];
  for (const [entry, touched] of touchedRows) {
    const { table, key } = entry;
    const row = winnerOf(entry.declarations);
    if (!sameRow(touched.row, row)) rows.push({ table, key });
    for (const change of memberChanges(entry, touched)) members.push({ table, key, ...change });
  }
  return { rows, members };
}

type Change = Pick<MemberChange, 'column' | 'id' | 'present'>;

/** A member counts as long as its row does. */
function memberChanges<U extends UnitId, C, M>(
  entry: RowEntry<U, C, M>,
  touched: TouchedRow<U, C, M>,
): Iterable<Change> {
  const isDeclared = entry.declarations !== undefined;
  if (touched.row !== undefined)
    return isDeclared ? changedMembers(entry, touched) : membersBefore(entry, touched);
  return isDeclared && entry.columns ? membersNow(entry) : [];
}

function* changedMembers<U extends UnitId, C, M>(
  entry: RowEntry<U, C, M>,
  touched: TouchedRow<U, C, M>,
): Iterable<Change> {
  for (const [column, members] of touched.members ?? []) {
    for (const [id, before] of members) {
      const now = winnerOf(entry.columns?.get(column)?.get(id));
      const isSame = before && now ? deepEqual(before.value, now.value) : before === now;
      if (!isSame) yield { column, id, present: now !== undefined };
    }
  }
}

function* membersNow<U extends UnitId, C, M>(entry: RowEntry<U, C, M>): Iterable<Change> {
  for (const [column, members] of entry.columns ?? []) {
    for (const id of members.keys()) yield { column, id, present: true };
  }
}

function* membersBefore<U extends UnitId, C, M>(
  entry: RowEntry<U, C, M>,
  touched: TouchedRow<U, C, M>,
): Iterable<Change> {
  for (const [column, members] of entry.columns ?? []) {
    const touchedMembers = touched.members?.get(column);
    for (const id of members.keys()) if (!touchedMembers?.has(id)) yield { column, id, present: false };
  }
  for (const [column, members] of touched.members ?? []) {
    for (const [id, before] of members) if (before !== undefined) yield { column, id, present: false };
  }
}

function sameRow<U extends UnitId, C>(
  a: RowOutput<U, C> | undefined,
  b: RowOutput<U, C> | undefined,
): boolean {
  if (a === b) return true;
  return (
    a !== undefined &&
    b !== undefined &&
    compareUnits(a.unit, b.unit) === 0 &&
    deepEqual(a.columns, b.columns)
  );
}
