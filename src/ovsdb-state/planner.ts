import { ValueError } from '../ovsdb-client/errors.ts';
import type { OwnedColumn } from './columns.ts';
import type { DeltaTracker } from './delta-tracker.ts';
import { canLive, isStrong } from './holding.ts';
import type { Holder, MirrorIndex } from './mirror-index.ts';
import { INSTALLATION_MARK, MARKS_COLUMN } from './ownership.ts';
import { planColumns } from './plan-columns.ts';
import type { Problems } from './problems.ts';
import { homeless, type PlanView, Readiness, waiting } from './readiness.ts';
import { noteRepair } from './repairs.ts';
import type { RowRef } from './row.ts';
import type { Dirt, Link, TrackedRow } from './tracked-row.ts';
import { type Batch, TransactionBuilder } from './transaction-builder.ts';

const FOUGHT_OVER = 'somebody else keeps changing this row; it is put right ever more slowly';

/** A row cannot be written for now, because of another one. */
class Blocked extends Error {
  readonly row: TrackedRow;

  constructor(row: TrackedRow) {
    super(`needs ${row}`);
    this.row = row;
  }
}

export interface PlannerOptions {
  readonly view: PlanView;
  readonly index: MirrorIndex;
  readonly tracker: DeltaTracker;
  readonly problems: Problems;
  /** Makes the UUID of a new row. */
  readonly newUuid: () => string;
  /** Called with a row that must not be touched before `at`. */
  readonly postpone: (row: TrackedRow, at: number) => void;
}

/** How much one transaction may do: `cost` rows and members, for the sake of `groups` rows. */
export interface Limits {
  readonly cost: number;
  readonly groups: number;
}

/**
 * Turns what is marked into transactions, one at a time, by comparing wish and mirror. Each leaves the database sound:
 * a row comes together with all its memberships and whatever it refers to, and goes together with the references.
 */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #view: PlanView;
  readonly #readiness: Readiness;
  /** Rows that changed again while they are under way. */
  readonly #deferred = new Set<TrackedRow>();
  /** Rows that would have been removed if that had been allowed. */
  readonly #heldBack = new Set<TrackedRow>();
  #pruneAllowed = false;
  #builder = new TransactionBuilder();

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#view = options.view;
    this.#readiness = new Readiness(options.view, ref => this.#proposedUuid(ref));
  }

  /** Allows or forbids to remove rows and members of ours that nobody wants. */
  setPrune(allowed: boolean): void {
    this.#pruneAllowed = allowed;
    if (!allowed) return;
    const rows = [...this.#heldBack];
    this.#heldBack.clear();
    for (const row of rows) this.#options.tracker.touch(row, { columns: 'all', links: true }, 'retry');
  }

  /** The next transaction, or undefined where nothing is left to do now. */
  next(limits: Limits): Batch | undefined {
    this.#builder = new TransactionBuilder();
    this.#readiness.reset();
    while (this.#builder.cost < limits.cost && this.#builder.groupCount < limits.groups) {
      const row = this.#options.tracker.next();
      if (!row) break;
      this.#plan(row);
    }
    return this.#builder.build();
  }

  /** The rows of a transaction are under way now: until {@link landed} the next ones may count on them. */
  sent(batch: Batch): void {
    for (const row of batch.rows) row.sent = batch.inserts.get(row.proposed);
  }

  /** The transaction is over, for good or ill. */
  landed(batch: Batch): void {
    for (const row of batch.rows) {
      row.sent = undefined;
      if (this.#deferred.delete(row)) this.#options.tracker.enqueue(row);
    }
  }

  #plan(row: TrackedRow): void {
    const dirt = this.#options.tracker.take(row);
    if (!dirt || this.#isTooEarly(row, dirt)) return;
    if (row.sent) {
      row.dirt = dirt;
      this.#deferred.add(row);
      return;
    }
    const before = this.#builder.cost;
    this.#builder.begin(row);
    if (row.desired) this.#write(row, dirt);
    else this.#removeAll(row);
    if (dirt.repair && this.#builder.cost > before) this.#noteRepair(row);
    this.#options.problems.check(row);
    this.#view.rows.release(row);
  }

  #noteRepair(row: TrackedRow): void {
    const { clock, log } = this.#view;
    if (!noteRepair(row, clock.now())) return;
    log.warn({ table: row.table, key: row.key }, `${FOUGHT_OVER}: stop the other writer`);
  }

  #isTooEarly(row: TrackedRow, dirt: Dirt): boolean {
    const repairAt = dirt.repair ? (row.repairs?.notBefore ?? 0) : 0;
    const at = Math.max(row.retry?.at ?? 0, repairAt);
    const now = this.#view.clock.now();
    if (at <= now) return false;
    if (repairAt > now) this.#options.problems.set(row, { kind: 'fight', reason: FOUGHT_OVER });
    row.dirt = dirt;
    this.#options.postpone(row, at);
    return true;
  }

  #write(row: TrackedRow, dirt: Dirt): void {
    this.#options.problems.set(row, undefined);
    const verdict = this.#readiness.of(row);
    if (!verdict.ready) {
      this.#options.problems.set(row, verdict.problem);
      if (verdict.waitsFor) wait(row, verdict.waitsFor);
    } else if (row.uuid === undefined) {
      this.#insert(row);
    } else if (!canLive(this.#view.tables, row)) {
      this.#options.problems.set(row, { kind: 'blocked', reason: homeless(row) });
      this.#removeAll(row);
      return;
    } else {
      this.#updateColumns(row, dirt);
      if (dirt.links) this.#updateLinks(row);
    }
    for (const uuid of row.duplicates ?? []) this.#remove(row, uuid);
  }

  // --- new rows ---

  /** Plans a row that is not there, with all that must come together with it. It must be ready. */
  #insert(row: TrackedRow): string {
    row.proposed ??= this.#options.newUuid();
    const uuid = row.proposed;
    if (row.sent || this.#builder.inserts(uuid)) return uuid;
    this.#options.tracker.take(row);
    this.#options.problems.set(row, undefined);
    this.#builder.bring(row);
    this.#expectFreeName(row, uuid);
    this.#builder.insert(row.table, uuid, this.#readiness.columnsOf(row));
    for (const target of row.references) if (target.uuid === undefined) this.#insert(target);
    for (const link of row.links) this.#join(row, uuid, link);
    for (const referrer of row.referrers ?? []) this.#followReference(referrer, row);
    this.#gather(row, uuid);
    return uuid;
  }

  /** Others may insert a row of that name, and the mirror shows it too late. */
  #expectFreeName({ table: name, desired }: TrackedRow, uuid: string): void {
    const table = this.#view.tables.get(name);
    if (!table?.assertsName || table.naturalKey === undefined) return;
    const ours = ['map', [[INSTALLATION_MARK, this.#view.ownership.installation]]];
    this.#builder.expectNone(name, uuid, [
      [table.naturalKey, '==', desired?.columns[table.naturalKey] ?? ''],
      [MARKS_COLUMN, 'excludes', ours],
    ]);
  }

  #proposedUuid({ table, key }: RowRef): string {
    const target = this.#view.rows.get(table, key);
    if (target.uuid !== undefined) return target.uuid;
    target.proposed ??= this.#options.newUuid();
    return target.proposed;
  }

  /** Makes a row a member where the wish wants it. A root may come before the rows that hold it; others must not. */
  #join(row: TrackedRow, uuid: string, { row: parent, column: name }: Link): void {
    const column = this.#setColumn(parent, name);
    const needsParent = !this.#view.tables.get(row.table)?.isRoot;
    const parentUuid = needsParent && parent.uuid === undefined ? this.#insert(parent) : this.#uuidOf(parent);
    if (column && parentUuid !== undefined)
      this.#builder.element(parent.table, parentUuid, column, uuid, true);
  }

  /** Puts the members that are there already into a new row: it must not be empty in between. */
  #gather(row: TrackedRow, uuid: string): void {
    for (const [name, members] of row.members ?? []) {
      const column = this.#setColumn(row, name);
      for (const member of members.values()) {
        if (typeof member !== 'object' || !column) continue;
        const memberUuid = this.#uuidOf(member);
        if (memberUuid === undefined) continue;
        if (member.uuid !== undefined && member.desired && member.dirt?.links) {
          this.#builder.bring(member);
          this.#updateLinks(member);
        } else {
          this.#builder.element(row.table, uuid, column, memberUuid, true);
        }
      }
    }
  }

  /** A row refers to one that is new: one that is there must follow, and one that keeps it alive must come along. */
  #followReference(row: TrackedRow, target: TrackedRow): void {
    if (!row.desired) return;
    if (row.uuid !== undefined) {
      this.#updateColumns(row, { columns: 'all', atoms: undefined, links: false, repair: false });
    } else if (!this.#view.tables.get(target.table)?.isRoot && this.#readiness.of(row).ready) {
      this.#insert(row);
    }
  }

  // --- rows that are there ---

  #updateColumns(row: TrackedRow, dirt: Dirt): void {
    const actual = row.uuid === undefined ? undefined : this.#view.mirror(row.table).get(row.uuid);
    if (!actual) return;
    const plan = {
      view: this.#view,
      builder: this.#builder,
      resolve: (ref: RowRef) => this.#resolve(ref),
      mayTake: () => this.#mayPrune(row),
    };
    try {
      planColumns(plan, row, actual, dirt);
    } catch (error) {
      if (error instanceof ValueError) {
        this.#options.problems.set(row, { kind: 'failed', reason: error.message });
      } else if (error instanceof Blocked) {
        this.#block(row, error.row);
      } else {
        throw error;
      }
    }
  }

  #resolve({ table, key }: RowRef): string {
    const target = this.#view.rows.get(table, key);
    const uuid = this.#uuidOf(target);
    if (uuid !== undefined) return uuid;
    if (!this.#readiness.of(target).ready) throw new Blocked(target);
    return this.#insert(target);
  }

  /** Compares where a row is a member with where it should be. A row that moves does so in one transaction. */
  #updateLinks(row: TrackedRow): void {
    const { uuid } = row;
    if (uuid === undefined) return;
    if (row.dirt) row.dirt.links = false;
    const wanted = new Set<string>();
    let staysAlive = false;
    for (const link of row.links) {
      const parentUuid = this.#parentOf(row, link);
      const column = this.#setColumn(link.row, link.column);
      if (parentUuid === undefined || !column) continue;
      wanted.add(`${parentUuid} ${link.column}`);
      staysAlive ||= isStrong(this.#view.tables, link.row, link.column);
      if (!this.#holds(link.row.table, parentUuid, link.column, uuid)) {
        this.#builder.element(link.row.table, parentUuid, column, uuid, true);
      }
    }
    const isMove = !this.#view.tables.get(row.table)?.isRoot && staysAlive;
    for (const holder of this.#options.index.holders(uuid)) {
      const isOurs = this.#view.rows.ofUuid(holder.uuid) !== undefined;
      if (isOurs && !wanted.has(`${holder.uuid} ${holder.column.name}`))
        this.#leave(row, uuid, holder, isMove);
    }
  }

  /** The UUID of the row that is to hold `row`; a missing one is inserted with it where it can be. */
  #parentOf(row: TrackedRow, { row: parent }: Link): string | undefined {
    const uuid = this.#uuidOf(parent);
    if (uuid !== undefined || this.#view.tables.get(row.table)?.isRoot) return uuid;
    const verdict = this.#readiness.of(parent);
    if (verdict.ready) return this.#insert(parent);
    this.#block(row, parent);
    return undefined;
  }

  #leave(row: TrackedRow, uuid: string, { table, uuid: holder, column }: Holder, isMove: boolean): void {
    if ((isMove && column.type.key.refType !== 'weak') || this.#mayPrune(row)) {
      this.#builder.element(table, holder, column, uuid, false);
    }
  }

  // --- rows that nobody wants ---

  #removeAll(row: TrackedRow): void {
    if (row.desired === undefined) {
      this.#options.problems.set(row, undefined);
      row.proposed = undefined;
    }
    for (const uuid of [row.uuid, ...(row.duplicates ?? [])]) if (uuid !== undefined) this.#remove(row, uuid);
  }

  #remove(row: TrackedRow, uuid: string): void {
    if (!this.#mayPrune(row)) return;
    const reason = this.#whatHolds(row, uuid);
    if (reason !== undefined) {
      this.#options.problems.set(row, { kind: 'held', reason });
      return;
    }
    for (const { table, uuid: holder, column } of this.#options.index.holders(uuid)) {
      if (this.#view.rows.ofUuid(holder)) this.#builder.element(table, holder, column, uuid, false);
    }
    if (!this.#view.tables.get(row.table)?.isRoot) return;
    this.#expectNoGuests(row.table, uuid);
    this.#builder.remove(row.table, uuid);
  }

  /** Remembers the row where the answer is no. */
  #mayPrune(row: TrackedRow): boolean {
    if (!this.#pruneAllowed) this.#heldBack.add(row);
    return this.#pruneAllowed;
  }

  /** Others may put a row of theirs into one that is about to go, and the mirror shows it too late. */
  #expectNoGuests(table: string, uuid: string): void {
    const actual = this.#view.mirror(table).get(uuid);
    for (const column of this.#view.tables.get(table)?.sets ?? []) {
      if (column.type.key.refType === 'weak') continue;
      this.#builder.expect(table, uuid, column, actual?.columns[column.name]);
    }
  }

  /** Why a row must stay: others have put rows of theirs into it, or it into theirs. */
  #whatHolds(row: TrackedRow, uuid: string): string | undefined {
    const actual = this.#view.mirror(row.table).get(uuid);
    for (const column of this.#view.tables.get(row.table)?.sets ?? []) {
      const children = actual?.columns[column.name];
      if (column.type.key.refType === 'weak' || !(children instanceof Set)) continue;
      for (const child of children) {
        if (this.#view.rows.ofUuid(child)) continue;
        const table = column.type.key.refTable ?? '';
        return `nobody wants ${row.table} "${row.key}" any more, but its ${column.name} have ${this.#nameOf(table, child)}, which is not ours; it goes when that goes`;
      }
    }
    for (const holder of this.#options.index.holders(uuid)) {
      if (this.#view.rows.ofUuid(holder.uuid) || holder.column.type.key.refType === 'weak') continue;
      return `nobody wants ${row.table} "${row.key}" any more, but ${this.#nameOf(holder.table, holder.uuid)}, which is not ours, has it in its ${holder.column.name}`;
    }
    return undefined;
  }

  #nameOf(table: string, uuid: string): string {
    const name = this.#view.mirror(table).get(uuid)?.columns[
      this.#view.tables.get(table)?.naturalKey ?? 'name'
    ];
    return typeof name === 'string' ? `${table} "${name}"` : `${table} ${uuid}`;
  }

  // --- small things ---

  #uuidOf(row: TrackedRow): string | undefined {
    const isComing = row.sent !== undefined || this.#builder.inserts(row.proposed);
    return row.uuid ?? (isComing ? row.proposed : undefined);
  }

  #setColumn(row: TrackedRow, name: string): OwnedColumn | undefined {
    const column = this.#view.tables.get(row.table)?.columns.get(name);
    return column?.refs ? column : undefined;
  }

  #holds(table: string, uuid: string, column: string, member: string): boolean {
    const value = this.#view.mirror(table).get(uuid)?.columns[column];
    return value instanceof Set && value.has(member);
  }

  #block(row: TrackedRow, by: TrackedRow): void {
    const verdict = this.#readiness.of(by);
    if (verdict.ready) return;
    this.#options.problems.set(row, waiting(by, verdict.problem).problem);
    wait(row, by);
  }
}

function wait(row: TrackedRow, forRow: TrackedRow): void {
  forRow.waiters ??= new Set();
  forRow.waiters.add(row);
}
