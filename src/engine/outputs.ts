import { addClaim, type Claims, losersOf, removeClaim, winnerOf } from './claims.ts';
import { deltaOf, type TouchedRow } from './delta.ts';
import type { Column, MemberOutput, RowEntry, RowOutput } from './output.ts';
import type { OutputDelta, Refusal, UnitId } from './types.ts';
import { compareUnits, formatUnit } from './unit-id.ts';

/** The sum of what all units say, and what of it has changed since the last {@link Outputs.takeDelta}. */
export class Outputs<U extends UnitId, C, M> {
  readonly #tables = new Map<string, Map<string, RowEntry<U, C, M>>>();
  readonly #contested = new Set<RowEntry<U, C, M>>();
  readonly #touched = new Map<RowEntry<U, C, M>, TouchedRow<U, C, M>>();

  addRow(output: RowOutput<U, C>): void {
    const entry = this.#ensure(output.table, output.key);
    this.#touch(entry);
    this.#setDeclarations(entry, addClaim(entry.declarations, output));
  }

  removeRow(output: RowOutput<U, C>): void {
    const entry = this.#ensure(output.table, output.key);
    this.#touch(entry);
    this.#setDeclarations(entry, removeClaim(entry.declarations, output));
  }

  addMember(output: MemberOutput<U, M>): void {
    const column = this.#touchMember(output);
    column.set(output.id, addClaim(column.get(output.id), output));
  }

  removeMember(output: MemberOutput<U, M>): void {
    const column = this.#touchMember(output);
    const left = removeClaim(column.get(output.id), output);
    if (left === undefined) column.delete(output.id);
    else column.set(output.id, left);
  }

  /** What is unlike it was at the last call. */
  takeDelta(): OutputDelta {
    const delta = deltaOf(this.#touched);
    for (const [entry, touched] of this.#touched) this.#prune(entry, touched.members?.keys() ?? []);
    this.#touched.clear();
    return delta;
  }

  /** The row, also where it has members only. */
  entry(table: string, key: string): RowEntry<U, C, M> | undefined {
    return this.#tables.get(table)?.get(key);
  }

  *rowIds(): IterableIterator<{ readonly table: string; readonly key: string }> {
    for (const rows of this.#tables.values()) {
      for (const { table, key, declarations } of rows.values()) if (declarations) yield { table, key };
    }
  }

  /** One refusal for each declaration that lost its row to another. */
  *conflicts(): IterableIterator<Refusal> {
    for (const { table, key, declarations } of this.#contested) {
      const winner = winnerOf(declarations);
      if (!winner) continue;
      for (const { unit } of losersOf(declarations))
        yield { unit, reason: conflict(table, key, winner.unit, unit) };
    }
  }

  #setDeclarations(entry: RowEntry<U, C, M>, declarations: Claims<RowOutput<U, C>> | undefined): void {
    entry.declarations = declarations;
    if (declarations === winnerOf(declarations)) this.#contested.delete(entry);
    else this.#contested.add(entry);
  }

  #ensure(table: string, key: string): RowEntry<U, C, M> {
    let rows = this.#tables.get(table);
    if (!rows) {
      rows = new Map();
      this.#tables.set(table, rows);
    }
    let entry = rows.get(key);
    if (!entry) {
      entry = { table, key, declarations: undefined, columns: undefined };
      rows.set(key, entry);
    }
    return entry;
  }

  #touch(entry: RowEntry<U, C, M>): TouchedRow<U, C, M> {
    let touched = this.#touched.get(entry);
    if (!touched) {
      touched = { row: winnerOf(entry.declarations), members: undefined };
      this.#touched.set(entry, touched);
    }
    return touched;
  }

  /** Remembers what the member was before this run, and gives its column. */
  #touchMember({ table, key, column: name, id }: MemberOutput<U, M>): Column<U, M> {
    const entry = this.#ensure(table, key);
    const touched = this.#touch(entry);
    entry.columns ??= new Map();
    let column = entry.columns.get(name);
    if (!column) {
      column = new Map();
      entry.columns.set(name, column);
    }
    touched.members ??= new Map();
    let before = touched.members.get(name);
    if (!before) {
      before = new Map();
      touched.members.set(name, before);
    }
    if (!before.has(id)) before.set(id, winnerOf(column.get(id)));
    return column;
  }

  /** Forgets columns without members, and the row when nothing is left of it. */
  #prune(entry: RowEntry<U, C, M>, columns: Iterable<string>): void {
    for (const column of columns) if (entry.columns?.get(column)?.size === 0) entry.columns.delete(column);
    if (entry.columns?.size === 0) entry.columns = undefined;
    if (entry.declarations || entry.columns) return;
    const rows = this.#tables.get(entry.table);
    rows?.delete(entry.key);
    if (rows?.size === 0) this.#tables.delete(entry.table);
  }
}

function conflict(table: string, key: string, winner: UnitId, loser: UnitId): string {
  const row = `the ${table} row "${key}"`;
  return compareUnits(winner, loser) === 0
    ? `${formatUnit(loser)} declares ${row} twice; the first one counts`
    : `${row} of ${formatUnit(loser)} is also that of ${formatUnit(winner)}, which has it; rename one of the two`;
}
