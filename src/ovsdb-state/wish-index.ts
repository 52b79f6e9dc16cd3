import type { Atom } from '../ovsdb-client/types.ts';
import type { OwnedTable } from './columns.ts';
import { type DeltaTracker, EVERYTHING } from './delta-tracker.ts';
import { getOrAdd } from './get-or-add.ts';
import type { NaturalNames } from './natural-names.ts';
import type { Wish, WishDelta } from './ports.ts';
import { atomsOf, type DesiredAtom, type DesiredColumns, isRef, type RowId } from './row.ts';
import type { Link, TrackedRow, TrackedRows } from './tracked-row.ts';

/** The id of a member that a row's own unit gives together with the row. */
const ownId = (value: DesiredAtom) =>
  typeof value === 'object' ? `\0${value.table}\0${value.key}` : `\0${value}`;

/**
 * Keeps the wish's side of the tracked rows: what is desired, who refers to whom. It remembers members by id, so that
 * one that is withdrawn is known without a look at the rest of its set.
 */
export class WishIndex {
  readonly #wish: Wish;
  readonly #tables: ReadonlyMap<string, OwnedTable>;
  readonly #rows: TrackedRows;
  readonly #names: NaturalNames;
  readonly #tracker: DeltaTracker;

  constructor(
    wish: Wish,
    tables: ReadonlyMap<string, OwnedTable>,
    rows: TrackedRows,
    names: NaturalNames,
    tracker: DeltaTracker,
  ) {
    this.#wish = wish;
    this.#tables = tables;
    this.#rows = rows;
    this.#names = names;
    this.#tracker = tracker;
  }

  /** Reads the whole wish. */
  load(): void {
    for (const id of this.#wish.rowIds()) {
      this.#applyRow(id);
      this.#importMembers(this.#rows.get(id.table, id.key));
    }
  }

  apply(delta: WishDelta): void {
    for (const id of delta.rows) this.#applyRow(id);
    for (const { table, key, column, id } of delta.members) {
      this.#setMember(this.#rows.get(table, key), column, id, this.#wish.member(table, key, column, id));
    }
  }

  #applyRow({ table, key }: RowId): void {
    const row = this.#rows.get(table, key);
    const before = row.desired;
    row.desired = this.#wish.row(table, key);
    this.#setName(row, before?.columns, row.desired?.columns);
    this.#setReferences(row);
    this.#setOwnMembers(row, before?.columns, row.desired?.columns);
    this.#tracker.touch(row, EVERYTHING, 'wish');
  }

  #setName(row: TrackedRow, before: DesiredColumns | undefined, now: DesiredColumns | undefined): void {
    const column = this.#tables.get(row.table)?.naturalKey;
    if (column === undefined) return;
    const [old, name] = [before?.[column], now?.[column]];
    if (typeof old === 'string' && old !== name) this.#names.unwant(row, old);
    if (typeof name === 'string') this.#names.want(row, name);
  }

  #setReferences(row: TrackedRow): void {
    for (const target of row.references) {
      target.referrers?.delete(row);
      if (target.referrers?.size === 0) target.referrers = undefined;
    }
    row.references = this.#referencesOf(row);
    for (const target of row.references) {
      target.referrers ??= new Set();
      target.referrers.add(row);
    }
  }

  /** Most rows refer to none: nothing is made for them. */
  #referencesOf({ table, desired }: TrackedRow): readonly TrackedRow[] {
    const columns = this.#tables.get(table)?.columns;
    let references: Set<TrackedRow> | undefined;
    for (const column in desired?.columns) {
      if (columns?.get(column)?.refs) continue;
      for (const atom of atomsOf(desired.columns[column] ?? [])) {
        if (!isRef(atom)) continue;
        references ??= new Set();
        references.add(this.#rows.get(atom.table, atom.key));
      }
    }
    return references ? [...references] : NONE;
  }

  /** References that a row gives in a set column are members like those of other units. */
  #setOwnMembers(row: TrackedRow, before: DesiredColumns | undefined, now: DesiredColumns | undefined): void {
    for (const { name } of this.#tables.get(row.table)?.sets ?? []) {
      if (before?.[name] === undefined && now?.[name] === undefined) continue;
      const old = new Map(atomsOf(before?.[name] ?? []).map(value => [ownId(value), value]));
      for (const value of atomsOf(now?.[name] ?? [])) {
        old.delete(ownId(value));
        this.#setMember(row, name, ownId(value), value);
      }
      for (const id of old.keys()) this.#setMember(row, name, id, undefined);
    }
  }

  #importMembers(row: TrackedRow): void {
    for (const column of row.desired?.memberColumns ?? []) {
      for (const [id, value] of this.#wish.members(row.table, row.key, column)) {
        this.#setMember(row, column, id, value);
      }
    }
  }

  #setMember(row: TrackedRow, column: string, id: string, value: DesiredAtom | undefined): void {
    const ids = row.members?.get(column);
    const old = ids?.get(id);
    const now = typeof value === 'object' ? this.#rows.get(value.table, value.key) : value;
    if (old === now) return;
    if (old !== undefined) this.#withdraw(row, column, old);
    if (now === undefined) {
      ids?.delete(id);
      if (ids?.size === 0) row.members?.delete(column);
      if (row.members?.size === 0) row.members = undefined;
      return;
    }
    row.members ??= new Map();
    if (ids) ids.set(id, now);
    else row.members.set(column, new Map([[id, now]]));
    this.#add(row, column, now);
  }

  #add(row: TrackedRow, column: string, member: TrackedRow | Atom): void {
    if (typeof member === 'object') {
      const link = findLink(member, row, column);
      if (link) link.count++;
      else member.links.push({ row, column, count: 1 });
      this.#tracker.touch(member, { links: true }, 'wish');
      return;
    }
    row.atoms ??= new Map();
    const atoms = getOrAdd(row.atoms, column, () => new Map<Atom, number>());
    atoms.set(member, (atoms.get(member) ?? 0) + 1);
    this.#tracker.touch(row, { atom: [column, member] }, 'wish');
  }

  #withdraw(row: TrackedRow, column: string, member: TrackedRow | Atom): void {
    if (typeof member === 'object') {
      const link = findLink(member, row, column);
      if (link && --link.count === 0) member.links.splice(member.links.indexOf(link), 1);
      this.#tracker.touch(member, { links: true }, 'wish');
      return;
    }
    const atoms = row.atoms?.get(column);
    const count = (atoms?.get(member) ?? 1) - 1;
    // The column stays "fed by members" when the last one goes: it must still be emptied element by element.
    if (count === 0) atoms?.delete(member);
    else atoms?.set(member, count);
    this.#tracker.touch(row, { atom: [column, member] }, 'wish');
  }
}

const NONE: readonly TrackedRow[] = [];

function findLink(member: TrackedRow, row: TrackedRow, column: string): Link | undefined {
  return member.links.find(link => link.row === row && link.column === column);
}
