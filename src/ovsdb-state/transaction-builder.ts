import type { ColumnType } from '../ovsdb-client/schema.ts';
import {
  assertRows,
  byUuid,
  type Condition,
  insert,
  type Mutation,
  mutate,
  remove,
  update,
  type WireRow,
} from '../ovsdb-client/transaction.ts';
import type { Atom, Operation, Value } from '../ovsdb-client/types.ts';
import { encodeAtom, encodeValue } from '../ovsdb-client/wire.ts';
import type { OwnedColumn } from './columns.ts';
import { getOrAdd } from './get-or-add.ts';
import type { TrackedRow } from './tracked-row.ts';

/** A transaction and what an answer to it means. */
export interface Batch {
  readonly operations: readonly Operation[];
  /** For each operation, the rows for whose sake it is there. */
  readonly causes: readonly (readonly TrackedRow[])[];
  /** All rows that the transaction brings forward: each with its memberships is one indivisible group. */
  readonly groups: readonly TrackedRow[];
  /** The groups and all rows that were planned along with them: what is to be looked at again where it fails. */
  readonly rows: readonly TrackedRow[];
  /** What the new rows are to have, by UUID. */
  readonly inserts: ReadonlyMap<string | undefined, WireRow>;
  /** The UUIDs of all rows that change. */
  readonly touched: ReadonlySet<string>;
  /** A row that is new, where the transaction does nothing but add rows and members; else undefined. */
  readonly growth: { readonly table: string; readonly uuid: string } | undefined;
}

interface Step {
  readonly table: string;
  readonly uuid: string;
  readonly causes: TrackedRow[];
}

interface Insert extends Step {
  readonly columns: WireRow;
}

interface Expectation extends Step {
  readonly columns: Record<string, unknown>;
}

interface Change extends Step {
  readonly set: Record<string, unknown>;
  readonly elements: Map<
    string,
    { readonly type: ColumnType; readonly add: Set<Atom>; readonly remove: Set<Atom> }
  >;
  readonly maps: Map<string, { readonly remove: readonly unknown[]; readonly add: readonly unknown[] }>;
}

/**
 * Collects what a transaction changes, one entry for each row and column however many groups contribute: all new
 * members of a set are one mutation, which the server takes far faster than many.
 */
export class TransactionBuilder {
  readonly #inserts = new Map<string, Insert>();
  readonly #changes = new Map<string, Change>();
  readonly #removals = new Map<string, Step>();
  readonly #expected = new Map<string, Expectation>();
  readonly #names: (Step & { readonly where: readonly Condition[] })[] = [];
  readonly #groups = new Set<TrackedRow>();
  readonly #companions = new Set<TrackedRow>();
  #group: TrackedRow | undefined;
  #cost = 0;

  /** What follows is for the sake of this row. */
  begin(group: TrackedRow): void {
    this.#group = group;
  }

  /** This row comes along with the group. */
  bring(row: TrackedRow): void {
    this.#companions.add(row);
  }

  /** How much the transaction does so far: rows and members. */
  get cost(): number {
    return this.#cost;
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  inserts(uuid: string | undefined): boolean {
    return uuid !== undefined && this.#inserts.has(uuid);
  }

  insert(table: string, uuid: string, columns: WireRow): void {
    this.#inserts.set(uuid, { table, uuid, columns, causes: this.#causes() });
  }

  /** Makes the transaction fail whole where a row fits by then: another than the one inserted under `uuid`. */
  expectNone(table: string, uuid: string, where: readonly Condition[]): void {
    this.#names.push({ table, uuid, where, causes: this.#causes() });
  }

  update(table: string, uuid: string, { name, type }: OwnedColumn, value: Value): void {
    this.#change(table, uuid).set[name] = encodeValue(type, value);
  }

  /** Adds an element to a set column, or takes it away. */
  element(table: string, uuid: string, { name, type }: OwnedColumn, atom: Atom, present: boolean): void {
    const { elements } = this.#change(table, uuid);
    const column = getOrAdd(elements, name, () => ({ type, add: new Set<Atom>(), remove: new Set<Atom>() }));
    (present ? column.add : column.remove).add(atom);
  }

  /** Gives keys of a map column their value; `undefined` takes a key away. */
  keys(
    table: string,
    uuid: string,
    { name, type }: OwnedColumn,
    pairs: ReadonlyMap<Atom, Atom | undefined>,
  ): void {
    const { key, value = key } = type;
    const remove = Array.from(pairs.keys(), atom => encodeAtom(key, atom));
    const add = [...pairs].filter(([, atom]) => atom !== undefined);
    this.#change(table, uuid).maps.set(name, {
      remove,
      add: add.map(([k, v]) => [encodeAtom(key, k), encodeAtom(value, v)]),
    });
  }

  /** Makes the transaction fail whole where a row's column is no longer what it was planned for. */
  expect(table: string, uuid: string, { name, type }: OwnedColumn, value: Value): void {
    const make = () => ({ table, uuid, columns: {}, causes: this.#causes() });
    getOrAdd<string, Expectation>(this.#expected, uuid, make).columns[name] = encodeValue(type, value);
  }

  remove(table: string, uuid: string): void {
    this.#removals.set(uuid, { table, uuid, causes: this.#causes() });
  }

  /** The transaction, or undefined where there is nothing to do. */
  build(): Batch | undefined {
    const steps: [Operation, Step][] = [];
    for (const step of this.#expected.values()) {
      const { table, uuid, columns } = step;
      steps.push([assertRows(table, byUuid(uuid), Object.keys(columns), [columns]), step]);
    }
    for (const step of this.#names) steps.push([assertRows(step.table, step.where, [], []), step]);
    for (const step of this.#inserts.values()) steps.push([insert(step.table, step.columns, step), step]);
    for (const step of this.#changes.values()) {
      if (this.#removals.has(step.uuid)) continue;
      const { table, uuid, set } = step;
      if (Object.keys(set).length > 0) steps.push([update(table, byUuid(uuid), set), step]);
      const mutations = mutationsOf(step);
      if (mutations.length > 0) steps.push([mutate(table, byUuid(uuid), mutations), step]);
    }
    for (const step of this.#removals.values()) steps.push([remove(step.table, byUuid(step.uuid)), step]);
    if (steps.length === 0) return undefined;
    return {
      operations: steps.map(([operation]) => operation),
      causes: steps.map(([, { causes }]) => causes),
      groups: [...this.#groups],
      rows: [...new Set([...this.#groups, ...this.#companions])],
      inserts: new Map(Array.from(this.#inserts.values(), ({ uuid, columns }) => [uuid, columns])),
      touched: new Set(steps.map(([, { uuid }]) => uuid)),
      growth: this.#growth(),
    };
  }

  #growth(): Step | undefined {
    if (this.#removals.size > 0 || this.#expected.size > 0) return undefined;
    for (const { set, elements, maps } of this.#changes.values()) {
      if (maps.size > 0 || Object.keys(set).length > 0) return undefined;
      for (const { remove } of elements.values()) if (remove.size > 0) return undefined;
    }
    for (const step of this.#inserts.values()) return step;
    return undefined;
  }

  #change(table: string, uuid: string): Change {
    let change = this.#changes.get(uuid);
    if (!change) {
      change = { table, uuid, set: {}, elements: new Map(), maps: new Map(), causes: [] };
      this.#changes.set(uuid, change);
    }
    const [cause] = this.#causes();
    if (cause && change.causes.at(-1) !== cause) change.causes.push(cause);
    return change;
  }

  #causes(): TrackedRow[] {
    this.#cost++;
    if (!this.#group) return [];
    this.#groups.add(this.#group);
    return [this.#group];
  }
}

function mutationsOf({ elements, maps }: Change): readonly Mutation[] {
  const mutations: Mutation[] = [];
  for (const [name, { type, add, remove }] of elements) {
    const wire = (atoms: ReadonlySet<Atom>) => ['set', Array.from(atoms, atom => encodeAtom(type.key, atom))];
    if (remove.size > 0) mutations.push([name, 'delete', wire(remove)]);
    if (add.size > 0) mutations.push([name, 'insert', wire(add)]);
  }
  for (const [name, { remove, add }] of maps) {
    // RFC 7047, 5.1: "insert" leaves a key that is there already as it is, so it has to go first.
    mutations.push([name, 'delete', ['set', remove]]);
    if (add.length > 0) mutations.push([name, 'insert', ['map', add]]);
  }
  return mutations;
}
