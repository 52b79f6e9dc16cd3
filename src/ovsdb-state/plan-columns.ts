import type { Atom, Row, Value } from '../ovsdb-client/types.ts';
import type { OwnedColumn } from './columns.ts';
import { checkOwned, type PlanView, wantedValue } from './readiness.ts';
import { keySettled, mayWriteKey } from './repairs.ts';
import type { Dirt, TrackedRow } from './tracked-row.ts';
import type { TransactionBuilder } from './transaction-builder.ts';
import { encodeDesiredAtom, equalValue, type Resolve } from './value.ts';

/** What comparing a row's columns needs. `resolve` gives the UUIDs of rows that the row refers to. */
export interface ColumnPlan {
  readonly view: PlanView;
  readonly builder: TransactionBuilder;
  readonly resolve: Resolve;
  /** Whether what nobody wants may be taken out of a set now; asked only where there is such a thing. */
  readonly mayTake: () => boolean;
}

/**
 * Compares the marked columns of a row that is there with the wish, and plans what differs: whole values of exclusive
 * columns, single keys of shared maps. Sets of references are the business of the rows in them, but for rows of
 * others in a set that is ours alone. Throws ValueError where a desired value does not fit.
 */
export function planColumns(plan: ColumnPlan, row: TrackedRow, actual: Row, dirt: Dirt): void {
  const { view, builder } = plan;
  checkOwned(view, row);
  for (const column of view.tables.get(row.table)?.columns.values() ?? []) {
    const kind = column.ownership.class;
    const isMarked = dirt.columns === 'all' || (dirt.columns?.has(column.name) ?? false);
    if (column.refs) {
      if (kind === 'exclusive') expelOthers(plan, row, actual, column, isMarked ? undefined : dirt);
    } else if (!isMarked) {
      planAtoms(plan, row, actual, column, dirt.atoms?.get(column.name));
    } else if (kind === 'keys') {
      planKeys(plan, row, actual, column, dirt.repair);
    } else if (kind === 'exclusive') {
      const wanted = wantedValue(view, row, column, plan.resolve);
      const found = actual.columns[column.name];
      if (equalValue(wanted, found)) continue;
      if (row.atoms?.has(column.name)) planElements(plan, row, actual, column, wanted);
      else builder.update(row.table, actual.uuid, column, wanted);
    }
  }
}

/** A set that other units add to can be large: only what differs is written. */
function planElements(
  { builder, mayTake }: ColumnPlan,
  row: TrackedRow,
  actual: Row,
  column: OwnedColumn,
  wanted: Value,
): void {
  const found = actual.columns[column.name];
  if (!(wanted instanceof Set) || !(found instanceof Set)) return;
  for (const atom of wanted)
    if (!found.has(atom)) builder.element(row.table, actual.uuid, column, atom, true);
  for (const atom of found)
    if (!wanted.has(atom) && mayTake()) builder.element(row.table, actual.uuid, column, atom, false);
}

/** Compares single elements of a set, whatever its size. */
function planAtoms(
  { builder, resolve, mayTake }: ColumnPlan,
  row: TrackedRow,
  actual: Row,
  column: OwnedColumn,
  atoms: ReadonlySet<Atom> | undefined,
): void {
  const found = actual.columns[column.name];
  if (!atoms || !(found instanceof Set)) return;
  const own = row.desired?.columns[column.name];
  for (const atom of atoms) {
    const wanted =
      (row.atoms?.get(column.name)?.has(atom) ?? false) || (Array.isArray(own) && own.includes(atom));
    if (wanted === found.has(atom)) continue;
    if (wanted) encodeDesiredAtom(atom, column.type.key, resolve);
    if (wanted || mayTake()) builder.element(row.table, actual.uuid, column, atom, wanted);
  }
}

function planKeys(
  plan: ColumnPlan,
  row: TrackedRow,
  actual: Row,
  column: OwnedColumn,
  isRepair: boolean,
): void {
  const { view, builder } = plan;
  const wanted = wantedValue(view, row, column, plan.resolve);
  const found = actual.columns[column.name];
  if (!(wanted instanceof Map) || !(found instanceof Map) || column.ownership.class !== 'keys') return;
  const wrong = new Map<Atom, Atom | undefined>();
  for (const key of new Set<Atom>([...column.ownership.keys, ...wanted.keys()])) {
    const [want, find] = [wanted.get(key), found.get(key)];
    const place = `${column.name}\0${key}`;
    const isKnown = row.fights?.get(place)?.letGo !== undefined;
    if (want === find) keySettled(row, place);
    else if (mayWriteKey(row, place, { wanted: want, found: find }, isRepair, view.clock.now()))
      wrong.set(key, want);
    else if (!isKnown) {
      const fields = {
        table: row.table,
        key: row.key,
        column: column.name,
        mapKey: key,
        wanted: want,
        found: find,
      };
      view.log.warn(
        fields,
        'somebody else keeps changing a map key of ours; it is left alone until that changes',
      );
    }
  }
  if (wrong.size > 0) builder.keys(row.table, actual.uuid, column, wrong);
}

/** Takes out of a set that is ours alone what the wish does not have. `dirt`: only the elements marked there. */
function expelOthers(
  { view, builder, mayTake }: ColumnPlan,
  row: TrackedRow,
  actual: Row,
  column: OwnedColumn,
  dirt: Dirt | undefined,
): void {
  const found = actual.columns[column.name];
  if (!(found instanceof Set)) return;
  const candidates: Iterable<Atom> = dirt ? (dirt.atoms?.get(column.name) ?? []) : found;
  for (const uuid of candidates) {
    const isOurs = view.rows.ofUuid(String(uuid)) !== undefined;
    if (!isOurs && found.has(uuid) && mayTake()) {
      builder.element(row.table, actual.uuid, column, uuid, false);
    }
  }
}
