import type { WireRow } from '../ovsdb-client/transaction.ts';
import type { Atom, ColumnDelta, Row, RowDelta, Value } from '../ovsdb-client/types.ts';
import { defaultValue } from '../ovsdb-client/wire.ts';
import type { OwnedColumn, OwnedTable } from './columns.ts';
import { type Cause, type DeltaTracker, EVERYTHING } from './delta-tracker.ts';
import { getOrAdd } from './get-or-add.ts';
import { marksOf } from './marks.ts';
import type { NaturalNames } from './natural-names.ts';
import { MARKS_COLUMN } from './ownership.ts';
import type { TrackedRow, TrackedRows } from './tracked-row.ts';
import { equalsWire, equalValue } from './value.ts';

/** A set column of a row of the mirror. */
export interface Holder {
  readonly table: string;
  readonly uuid: string;
  readonly column: OwnedColumn;
}

/**
 * Keeps the mirror's side of the tracked rows: which UUID is which key, and who holds whom. A row is ours by its
 * marks when it comes; from then on it stays ours until it goes or somebody else marks it, so that a mark which was
 * wiped away by hand is put back.
 */
export class MirrorIndex {
  readonly #installation: string;
  readonly #tables: ReadonlyMap<string, OwnedTable>;
  readonly #rows: TrackedRows;
  readonly #names: NaturalNames;
  readonly #tracker: DeltaTracker;
  /** Nearly every row has one holder: that costs no Set. */
  readonly #holders = new Map<string, Holder | Set<Holder>>();
  readonly #holderOf = new Map<string, Map<string, Holder>>();
  readonly #owned = new Map<string, number>();
  /** Rows that have just come as we sent them. */
  readonly #arrived: TrackedRow[] = [];

  constructor(
    installation: string,
    tables: ReadonlyMap<string, OwnedTable>,
    rows: TrackedRows,
    names: NaturalNames,
    tracker: DeltaTracker,
  ) {
    this.#installation = installation;
    this.#tables = tables;
    this.#rows = rows;
    this.#names = names;
    this.#tracker = tracker;
  }

  /** Reads one table of the mirror. */
  load(table: string, rows: Iterable<Row>): void {
    const owned = this.#tables.get(table);
    if (owned) for (const row of rows) this.#insert(owned, row, 'retry');
  }

  /** Follows the mirror: what came together is looked at together. */
  follow(deltas: readonly RowDelta[]): void {
    for (const delta of deltas) this.#apply(delta);
    for (const row of this.#arrived.splice(0)) {
      this.#tracker.wake(row);
      if (!this.#isHeldAsWanted(row)) this.#tracker.touch(row, { links: true }, 'mirror');
    }
  }

  /** Whether a row is in all the columns that the wish wants it in. */
  #isHeldAsWanted({ uuid, links }: TrackedRow): boolean {
    const holders = uuid === undefined ? undefined : this.#holders.get(uuid);
    return links.every(({ row, column }) => {
      const holder = row.uuid === undefined ? undefined : this.#holderOf.get(row.uuid)?.get(column);
      if (holder === undefined) return false;
      return holders instanceof Set ? holders.has(holder) : holders === holder;
    });
  }

  #apply(delta: RowDelta): void {
    const cause = 'mirror';
    const table = this.#tables.get(delta.table);
    if (!table) return;
    if (delta.kind === 'insert') this.#insert(table, delta.row, cause);
    else if (delta.kind === 'delete') this.#delete(table, delta.row, cause);
    else this.#modify(table, delta.row, delta.changed, cause);
  }

  /** The set columns that hold the row. */
  holders(uuid: string): Iterable<Holder> {
    const holders = this.#holders.get(uuid);
    if (holders === undefined) return [];
    return holders instanceof Set ? holders : [holders];
  }

  /** How many rows of ours there are, by table. */
  owned(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#owned].filter(([, count]) => count > 0));
  }

  #insert(table: OwnedTable, row: Row, cause: Cause): void {
    const { installation, key } = marksOf(row);
    if (installation === this.#installation && key !== undefined) {
      this.#bind(this.#rows.get(table.name, key), row, cause);
    } else {
      this.#takeName(table, row.uuid, nameOf(table, row));
    }
    for (const column of table.sets) {
      for (const child of elements(row.columns[column.name]))
        this.#hold(table, row.uuid, column, child, cause);
    }
  }

  #delete(table: OwnedTable, row: Row, cause: Cause): void {
    for (const column of table.sets) {
      for (const child of elements(row.columns[column.name])) this.#unhold(row.uuid, column, child, cause);
    }
    this.#holderOf.delete(row.uuid);
    const tracked = this.#rows.ofUuid(row.uuid);
    if (tracked) this.#unbind(tracked, row.uuid, cause);
    else this.#freeName(table, row.uuid, nameOf(table, row));
  }

  #modify(table: OwnedTable, row: Row, changed: Readonly<Record<string, ColumnDelta>>, cause: Cause): void {
    if (changed[MARKS_COLUMN]) this.#remark(table, row, cause);
    const tracked = this.#rows.ofUuid(row.uuid);
    for (const [name, delta] of Object.entries(changed)) {
      const column = table.columns.get(name);
      if (name === table.naturalKey && !tracked) this.#rename(table, row, delta);
      if (column?.refs && delta.kind === 'set') this.#moveElements(table, row.uuid, column, delta, cause);
      else if (tracked && column) this.#touchColumn(tracked, column, delta, cause);
    }
  }

  #touchColumn(row: TrackedRow, { name, ownership }: OwnedColumn, delta: ColumnDelta, cause: Cause): void {
    if (ownership.class === 'status') return;
    if (delta.kind === 'set' && row.atoms?.has(name)) {
      for (const atom of [...delta.added, ...delta.removed])
        this.#tracker.touch(row, { atom: [name, atom] }, cause);
    } else {
      this.#tracker.touch(row, { columns: [name] }, cause);
    }
  }

  #moveElements(
    table: OwnedTable,
    uuid: string,
    column: OwnedColumn,
    delta: Extract<ColumnDelta, { kind: 'set' }>,
    cause: Cause,
  ): void {
    for (const child of delta.added) this.#hold(table, uuid, column, String(child), cause);
    for (const child of delta.removed) this.#unhold(uuid, column, String(child), cause);
    const tracked = this.#rows.ofUuid(uuid);
    if (!tracked) return;
    // A row that stays only for the sake of others' rows in it may be able to go now.
    if (!tracked.desired) this.#tracker.touch(tracked, EVERYTHING, 'retry');
    else if (column.ownership.class === 'exclusive') {
      for (const child of delta.added) this.#tracker.touch(tracked, { atom: [column.name, child] }, cause);
    }
  }

  #remark(table: OwnedTable, row: Row, cause: Cause): void {
    const tracked = this.#rows.ofUuid(row.uuid);
    const { installation, key } = marksOf(row);
    const isTaken = installation !== undefined && installation !== this.#installation;
    // A mark that was wiped off a row that we want is put back; one that only stays for others' sake is theirs now.
    if (tracked && (isTaken || (installation === undefined && !tracked.desired))) {
      this.#unbind(tracked, row.uuid, cause);
      this.#takeName(table, row.uuid, nameOf(table, row));
    } else if (!tracked && installation === this.#installation && key !== undefined) {
      this.#freeName(table, row.uuid, nameOf(table, row));
      this.#bind(this.#rows.get(table.name, key), row, cause);
    }
  }

  #rename(table: OwnedTable, row: Row, delta: ColumnDelta): void {
    if (delta.kind === 'scalar' && typeof delta.old === 'string') this.#freeName(table, row.uuid, delta.old);
    this.#takeName(table, row.uuid, nameOf(table, row));
  }

  #takeName(table: OwnedTable, uuid: string, name: string | undefined): void {
    const wanting = name === undefined ? undefined : this.#names.take(table.name, name, uuid);
    if (wanting) this.#tracker.touch(wanting, EVERYTHING, 'retry');
  }

  #freeName(table: OwnedTable, uuid: string, name: string | undefined): void {
    const wanting = name === undefined ? undefined : this.#names.free(table.name, name, uuid);
    if (wanting) this.#tracker.touch(wanting, EVERYTHING, 'retry');
  }

  /**
   * Of several rows with one key the first is the key's row: what hangs on it must not be moved for the sake of a copy.
   * Where the order is not known, as they were there before us, it is the least UUID.
   */
  #bind(row: TrackedRow, { uuid, columns }: Row, cause: Cause): void {
    this.#rows.bind(uuid, row);
    this.#count(row.table, 1);
    if (row.uuid === undefined) {
      row.uuid = uuid;
    } else {
      row.duplicates ??= new Set();
      // Only the first reading has the cause 'retry'.
      const isFirst = cause === 'retry' && uuid < row.uuid;
      row.duplicates.add(isFirst ? row.uuid : uuid);
      if (isFirst) this.#switchTo(row, uuid, cause);
    }
    const { sent } = row;
    if (row.proposed === uuid) {
      row.proposed = undefined;
      row.sent = undefined;
      if (sent && row.uuid === uuid && this.#isAsSent(row, columns, sent)) {
        this.#arrived.push(row);
        return;
      }
    }
    this.#tracker.touch(row, EVERYTHING, cause);
  }

  /** Whether a row came with exactly what we inserted, so that there is nothing to compare with the wish. */
  #isAsSent({ table }: TrackedRow, columns: Row['columns'], sent: WireRow): boolean {
    const written = this.#tables.get(table)?.written ?? [];
    return written.every(({ name, type }) => {
      const wire = sent[name];
      return wire === undefined
        ? equalValue(columns[name], defaultValue(type))
        : equalsWire(columns[name], wire);
    });
  }

  #unbind(row: TrackedRow, uuid: string, cause: Cause): void {
    this.#rows.unbind(uuid);
    this.#count(row.table, -1);
    row.duplicates?.delete(uuid);
    if (row.uuid === uuid) {
      const [next] = [...(row.duplicates ?? [])].sort();
      row.uuid = undefined;
      row.proposed = undefined;
      if (next !== undefined) {
        row.duplicates?.delete(next);
        this.#switchTo(row, next, cause);
      }
    }
    if (row.duplicates?.size === 0) row.duplicates = undefined;
    this.#tracker.touch(row, EVERYTHING, cause);
  }

  /** Another row of the mirror is the key's row now: whatever refers to it must follow. */
  #switchTo(row: TrackedRow, uuid: string, cause: Cause): void {
    row.uuid = uuid;
    for (const referrer of row.referrers ?? []) this.#tracker.touch(referrer, { columns: 'all' }, cause);
    for (const column of row.members?.values() ?? []) {
      for (const member of column.values()) {
        if (typeof member === 'object') this.#tracker.touch(member, { links: true }, cause);
      }
    }
  }

  #count(table: string, change: number): void {
    this.#owned.set(table, (this.#owned.get(table) ?? 0) + change);
  }

  #hold(table: OwnedTable, uuid: string, column: OwnedColumn, child: string, cause: Cause): void {
    const columns = getOrAdd(this.#holderOf, uuid, () => new Map<string, Holder>());
    const holder = getOrAdd(columns, column.name, () => ({ table: table.name, uuid, column }));
    this.#addHolder(child, holder);
    const row = this.#rows.ofUuid(child);
    const parent = this.#rows.ofUuid(uuid);
    // What is as the wish wants it makes no difference that was not there before.
    const isWanted = row?.uuid === child && parent?.uuid === uuid && row.isWantedIn(parent, column.name);
    if (row && !isWanted) this.#tracker.touch(row, { links: true }, cause);
  }

  #addHolder(child: string, holder: Holder): void {
    const holders = this.#holders.get(child);
    if (holders === undefined) this.#holders.set(child, holder);
    else if (holders instanceof Set) holders.add(holder);
    else if (holders !== holder) this.#holders.set(child, new Set([holders, holder]));
  }

  #removeHolder(child: string, holder: Holder): void {
    const holders = this.#holders.get(child);
    if (holders === holder) this.#holders.delete(child);
    if (!(holders instanceof Set)) return;
    holders.delete(holder);
    const [last] = holders;
    if (last && holders.size === 1) this.#holders.set(child, last);
  }

  #unhold(uuid: string, column: OwnedColumn, child: string, cause: Cause): void {
    const holder = this.#holderOf.get(uuid)?.get(column.name);
    if (holder) this.#removeHolder(child, holder);
    const row = this.#rows.ofUuid(child);
    if (row) this.#tracker.touch(row, { links: true }, cause);
  }
}

function nameOf(table: OwnedTable, row: Row): string | undefined {
  const name = table.naturalKey === undefined ? undefined : row.columns[table.naturalKey];
  return typeof name === 'string' ? name : undefined;
}

function* elements(value: Value): Iterable<string> {
  if (value instanceof Set) for (const atom of value as ReadonlySet<Atom>) yield String(atom);
}
