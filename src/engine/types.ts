/**
 * The engine's vocabulary. `F` maps each fact kind to its fact's type; `C` is what a row's columns are, `M` a set
 * member. The engine knows neither Kubernetes nor OVN, and never looks into facts, columns or members.
 */

/** Tracked reads: whatever a unit reads makes it run again when that changes. */
export interface Read<F> {
  /** The fact, or undefined where there is none. */
  get<K extends keyof F & string>(kind: K, key: string): F[K] | undefined;
  /** The keys of all facts of a kind, sorted. */
  keys<K extends keyof F & string>(kind: K): readonly string[];
  /** Whether there is at least one fact of the kind (wakes its reader only when that flips). */
  any<K extends keyof F & string>(kind: K): boolean;
}

/** What a unit says of the world. Everything it does not say again in its next run is withdrawn. */
export interface Emit<C, M> {
  /** Declares a whole row. Two units that declare one row: the second fails with its reason. */
  row(table: string, key: string, columns: C): void;
  /** Adds one member to a set column of a row that any unit declares. `id` tells members apart within the column. */
  member(table: string, key: string, column: string, id: string, value: M): void;
  /** Says that the object behind this unit is refused, in whole or in part, and why. The unit's rows stay as emitted. */
  refuse(reason: string): void;
}

/** One kind of unit: one instance for each fact of `over`, or a single one where there is no `over`. */
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

/** What the engine tells its consumer after a run: the least that can have changed, each once. */
export interface OutputDelta {
  /** Rows whose declaration came, went or changed. */
  readonly rows: readonly { readonly table: string; readonly key: string }[];
  /** Members that came to a column (first unit) or left it (last unit). */
  readonly members: readonly {
    readonly table: string;
    readonly key: string;
    readonly column: string;
    readonly id: string;
    readonly present: boolean;
  }[];
}

/** A unit that refused its object or threw. */
export interface Refusal {
  readonly unit: UnitId;
  readonly reason: string;
}
