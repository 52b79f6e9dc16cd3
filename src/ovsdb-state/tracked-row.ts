import type { WireRow } from '../ovsdb-client/transaction.ts';
import type { Atom } from '../ovsdb-client/types.ts';
import { getOrAdd } from './get-or-add.ts';
import type { WishRow } from './ports.ts';
import type { RowId } from './row.ts';

/** A desired membership: this row is to be in `column` of `row`. `count`: how many members of the wish say so. */
export interface Link {
  readonly row: TrackedRow;
  readonly column: string;
  count: number;
}

/** Why a row is not as the wish has it. */
export interface Problem {
  readonly kind: 'conflict' | 'failed' | 'held' | 'blocked' | 'fight';
  readonly reason: string;
}

/** What of a row may differ between wish and mirror. */
export interface Dirt {
  columns: Set<string> | 'all' | undefined;
  /** Elements of exclusive set columns that are fed by members. */
  atoms: Map<string, Set<Atom>> | undefined;
  /** The row's memberships in other rows. */
  links: boolean;
  /** Nothing but somebody else's change of the database is the cause. */
  repair: boolean;
}

/** A delay before a row is tried again. */
export interface Retry {
  readonly at: number;
  readonly attempts: number;
}

/** A map key that somebody else writes too: when we had to put it right, and whether we gave up. */
export interface KeyFight {
  readonly repairs: number[];
  letGo: { readonly wanted: Atom | undefined; readonly found: Atom | undefined } | undefined;
}

/**
 * Everything that we know of one key of one table: what the wish says, which row of the mirror it is, and what is
 * pending. All of it lives here, so that a change finds what it concerns without a search.
 */
export class TrackedRow implements RowId {
  readonly table: string;
  readonly key: string;

  desired: WishRow | undefined;
  /** The mirror's row. */
  uuid: string | undefined;
  /** Further rows of the mirror that claim this key. */
  duplicates: Set<string> | undefined;
  /** The UUID of the insert that is planned or under way. */
  proposed: string | undefined;
  /** What that insert says, from when it was sent until the mirror shows it. */
  sent: WireRow | undefined;

  /** Where the wish wants this row to be a member. */
  links: Link[] = [];
  /** Rows that refer to this one in a single-valued column of theirs. */
  referrers: Set<TrackedRow> | undefined;
  /** The rows that this one refers to in a single-valued column. */
  references: readonly TrackedRow[] = [];
  /** What the wish puts into the set columns of this row: by column, by member id. */
  members: Map<string, Map<string, TrackedRow | Atom>> | undefined;
  /** Members that are atoms, counted by value. */
  atoms: Map<string, Map<Atom, number>> | undefined;

  dirt: Dirt | undefined;
  problem: Problem | undefined;
  /** Rows that cannot be written before something changes here. */
  waiters: Set<TrackedRow> | undefined;
  retry: Retry | undefined;
  /** Repairs of this row within the last while, and the moment before which there is no other. */
  repairs: { readonly count: number; readonly last: number; readonly notBefore: number } | undefined;
  fights: Map<string, KeyFight> | undefined;

  constructor(table: string, key: string) {
    this.table = table;
    this.key = key;
  }

  toString(): string {
    return `${this.table} ${this.key}`;
  }

  /** Whether the wish wants this row in that column. */
  isWantedIn(row: TrackedRow, column: string): boolean {
    return this.links.some(link => link.row === row && link.column === column);
  }

  /** Whether nothing is known of the row any more. */
  isVoid(): boolean {
    return (
      this.desired === undefined &&
      this.uuid === undefined &&
      this.proposed === undefined &&
      this.duplicates === undefined &&
      this.links.length === 0 &&
      this.members === undefined &&
      this.referrers === undefined &&
      this.waiters === undefined &&
      this.dirt === undefined
    );
  }
}

/** All tracked rows, by key and by UUID. */
export class TrackedRows {
  readonly #byKey = new Map<string, Map<string, TrackedRow>>();
  readonly #byUuid = new Map<string, TrackedRow>();

  /** The row, made where it is not there yet. */
  get(table: string, key: string): TrackedRow {
    const rows = getOrAdd(this.#byKey, table, () => new Map<string, TrackedRow>());
    return getOrAdd(rows, key, () => new TrackedRow(table, key));
  }

  /** The row of ours that has this UUID in the mirror. */
  ofUuid(uuid: string): TrackedRow | undefined {
    return this.#byUuid.get(uuid);
  }

  bind(uuid: string, row: TrackedRow): void {
    this.#byUuid.set(uuid, row);
  }

  unbind(uuid: string): void {
    this.#byUuid.delete(uuid);
  }

  *all(): IterableIterator<TrackedRow> {
    for (const rows of this.#byKey.values()) yield* rows.values();
  }

  *ofTable(table: string): IterableIterator<TrackedRow> {
    yield* this.#byKey.get(table)?.values() ?? [];
  }

  /** Drops the row if nothing is known of it any more. */
  release(row: TrackedRow): void {
    if (row.isVoid()) this.#byKey.get(row.table)?.delete(row.key);
  }
}
