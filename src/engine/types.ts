/**
 * The engine's vocabulary. `F` maps each fact kind to its fact's type; `C` is what a row's columns are, `M` a set
 * member. The engine knows neither Kubernetes nor OVN, and never looks into facts, columns or members.
 */

/** Tracked reads: whatever a unit reads makes it run again when that changes. */
export interface Read<F> {
  /** The fact, or undefined where there is none. */
  get<K extends keyof F & string>(kind: K, key: string): F[K] | undefined;
  /** The keys of all facts of a kind, sorted. Wakes its reader when a key comes or goes. */
  keys<K extends keyof F & string>(kind: K): readonly string[];
  /** Whether there is at least one fact of the kind (wakes its reader only when that flips). */
  any<K extends keyof F & string>(kind: K): boolean;
}

/** What a unit says of the world. Everything it does not say again in its next run is withdrawn. */
export interface Emit<C, M> {
  /** Declares a whole row. Of two units that declare one row the lower unit id wins; the other is refused. */
  row(table: string, key: string, columns: C): void;
  /**
   * Adds one member to a set column of a row that any unit declares, now or later. `id` tells members apart within the
   * column. Several units may add the same one; should their values differ, the lower unit id's counts.
   */
  member(table: string, key: string, column: string, id: string, value: M): void;
  /** Says that the object behind this unit is refused, in whole or in part, and why. The unit's rows stay as emitted. */
  refuse(reason: string): void;
}

/**
 * One kind of unit: one instance for each fact of `over`, or a single one where there is no `over`. `run` depends on
 * what it reads and on nothing else. If it throws, nothing that it said counts, and its object is refused.
 */
export interface UnitDefinition<F, C, M> {
  readonly name: string;
  readonly over?: keyof F & string;
  run(read: Read<F>, emit: Emit<C, M>, key: string): void;
}

/** A unit instance, printed as `name` or `name/key`. */
export interface UnitId {
  readonly name: string;
  readonly key: string;
}

/**
 * What the engine tells its consumer after a run: exactly what is unlike before, each once. A row that comes brings its
 * members, one that goes takes them along: they are listed too.
 */
export interface OutputDelta {
  /** Rows whose declaration came, went, changed, or is another unit's now. */
  readonly rows: readonly { readonly table: string; readonly key: string }[];
  /** Members that came to a column (first unit) or have another value, and members that left it (last unit). */
  readonly members: readonly MemberChange[];
}

export interface MemberChange {
  readonly table: string;
  readonly key: string;
  readonly column: string;
  readonly id: string;
  readonly present: boolean;
}

/** A row as its winning unit declares it. */
export interface OutputRow<C> {
  readonly columns: C;
  readonly unit: UnitId;
  /** The columns that have members, sorted. */
  readonly memberColumns: readonly string[];
}

/** A unit that refused its object, threw, or lost a row to another unit. */
export interface Refusal {
  readonly unit: UnitId;
  readonly reason: string;
}

/** Something that a unit read: one fact, the keys of a kind, or whether the kind has any fact (then `key` is ''). */
export interface FactRead {
  readonly what: 'fact' | 'keys' | 'any';
  readonly kind: string;
  readonly key: string;
}

/** A unit, and what it has read. */
export interface Source {
  readonly unit: UnitId;
  readonly reads: readonly FactRead[];
}

/** Where a row comes from. */
export interface Explanation {
  /** The unit whose declaration counts; undefined where there are only members. */
  readonly row: Source | undefined;
  /** Units that declare the same row and lost. */
  readonly refused: readonly Source[];
  /** Every member of the row, with one source for each unit that adds it. */
  readonly members: readonly {
    readonly column: string;
    readonly id: string;
    readonly sources: readonly Source[];
  }[];
}
