import { winnerOf } from './claims.ts';
import { explain } from './explain.ts';
import type { FactStore } from './fact-store.ts';
import type { MemberOutput, RowOutput } from './output.ts';
import { Outputs } from './outputs.ts';
import { RunContext } from './run-context.ts';
import { Topics } from './topics.ts';
import type { Explanation, OutputDelta, OutputRow, Refusal, UnitDefinition, UnitId } from './types.ts';
import { compareUnits } from './unit-id.ts';
import { UnitInstance } from './unit-instance.ts';

/**
 * Keeps the value of a set of units over a store of facts. Its outputs and refusals depend on the facts as they are at
 * the last {@link Engine.run}, never on how they came to be so; a changed fact runs the units that read it, once.
 */
export class Engine<F, C, M> {
  readonly #store: FactStore<F>;
  readonly #instances = new Map<UnitDefinition<F, C, M>, Map<string, UnitInstance<F, C, M>>>();
  readonly #topics = new Topics<UnitInstance<F, C, M>>();
  readonly #outputs = new Outputs<UnitInstance<F, C, M>, C, M>();
  readonly #context: RunContext<F, C, M>;
  /** By definition, in the order in which these were given. */
  readonly #dirty = new Map<UnitDefinition<F, C, M>, Set<UnitInstance<F, C, M>>>();
  readonly #refusing = new Set<UnitInstance<F, C, M>>();

  /** Throws where two units have one name. Nothing runs before the first {@link run}. */
  constructor(store: FactStore<F>, units: readonly UnitDefinition<F, C, M>[]) {
    this.#store = store;
    this.#context = new RunContext(store, this.#topics);
    if (new Set(units.map(unit => unit.name)).size < units.length) throw new Error('two units have one name');
    for (const definition of units) {
      this.#instances.set(definition, new Map());
      this.#dirty.set(definition, new Set());
      const keys = definition.over === undefined ? [''] : store.keys(definition.over);
      for (const key of keys) this.#mark(this.#instance(definition, key));
    }
    store.subscribe((kind, key, change) => this.#onFact(kind, key, change));
  }

  /**
   * Runs the units that read something that has changed, `limit` of them at most, and tells what that changed in the
   * outputs. All units of one definition run before any of the next one. Until {@link isSettled} the outputs are those of
   * no single moment.
   */
  run(limit = Number.POSITIVE_INFINITY): OutputDelta {
    let left = limit;
    for (const instances of this.#dirty.values()) {
      for (const instance of instances) {
        if (left === 0) return this.#outputs.takeDelta();
        left--;
        instances.delete(instance);
        const { over } = instance.definition;
        if (over === undefined || this.#store.has(over, instance.key)) this.#rerun(instance);
        else this.#retire(instance);
      }
    }
    return this.#outputs.takeDelta();
  }

  /** Whether no unit has to run. */
  get isSettled(): boolean {
    for (const instances of this.#dirty.values()) if (instances.size > 0) return false;
    return true;
  }

  /** The row, or undefined where no unit declares it. */
  row(table: string, key: string): OutputRow<C> | undefined {
    const entry = this.#outputs.entry(table, key);
    const row = winnerOf(entry?.declarations);
    if (!entry || !row) return undefined;
    const memberColumns = entry.columns ? [...entry.columns.keys()].sort() : NONE;
    return { columns: row.columns, unit: idOf(row.unit), memberColumns };
  }

  /** One member's value; undefined where the row is not declared or nobody adds the member. */
  member(table: string, key: string, column: string, id: string): M | undefined {
    const entry = this.#outputs.entry(table, key);
    return entry?.declarations && winnerOf(entry.columns?.get(column)?.get(id))?.value;
  }

  /** The members of a column as [id, value], in no order that means anything. */
  *members(table: string, key: string, column: string): IterableIterator<readonly [id: string, value: M]> {
    const entry = this.#outputs.entry(table, key);
    if (!entry?.declarations) return;
    for (const [id, claims] of entry.columns?.get(column) ?? []) {
      const winner = winnerOf(claims);
      if (winner) yield [id, winner.value];
    }
  }

  /** All declared rows, in no order that means anything. */
  rowIds(): Iterable<{ readonly table: string; readonly key: string }> {
    return this.#outputs.rowIds();
  }

  /** Every unit that refused its object, threw, or lost a row: ordered by unit, then as the unit said them. */
  refusals(): readonly Refusal[] {
    const own = [...this.#refusing].flatMap(unit => unit.reasons.map(reason => ({ unit, reason })));
    const lost = [...this.#outputs.conflicts()].sort((a, b) => (a.reason < b.reason ? -1 : 1));
    return [...own, ...lost]
      .sort((a, b) => compareUnits(a.unit, b.unit))
      .map(({ unit, reason }) => ({ unit: idOf(unit), reason }));
  }

  /** The units behind a row and its members, and the facts that they read; undefined where there is no such row. */
  explain(table: string, key: string): Explanation | undefined {
    const entry = this.#outputs.entry(table, key);
    return entry && explain(entry);
  }

  #onFact(kind: string, key: string, change: 'came' | 'changed' | 'went'): void {
    const mark = (instance: UnitInstance<F, C, M>) => this.#mark(instance);
    this.#topics.eachReader('fact', kind, key, mark);
    if (change === 'changed') return;
    this.#topics.eachReader('keys', kind, '', mark);
    const size = this.#sizeOf(kind);
    if (size === (change === 'came' ? 1 : 0)) this.#topics.eachReader('any', kind, '', mark);
    for (const definition of this.#instances.keys()) {
      if (definition.over === kind) this.#mark(this.#instance(definition, key));
    }
  }

  #mark(instance: UnitInstance<F, C, M>): void {
    this.#dirty.get(instance.definition)?.add(instance);
  }

  #sizeOf(kind: string): number {
    // The store names only kinds that it holds.
    return this.#store.size(kind as keyof F & string);
  }

  #instance(definition: UnitDefinition<F, C, M>, key: string): UnitInstance<F, C, M> {
    const instances = this.#instances.get(definition);
    let instance = instances?.get(key);
    if (!instance) {
      instance = new UnitInstance(definition, key);
      instances?.set(key, instance);
    }
    return instance;
  }

  #rerun(instance: UnitInstance<F, C, M>): void {
    const { reads, rows, members, reasons } = this.#context.run(instance);
    this.#replaceOutputs(instance, rows, members);
    for (const topic of reads) this.#topics.addReader(topic, instance);
    const runNumber = this.#context.runNumber;
    for (const topic of instance.reads) {
      if (topic.readInRun !== runNumber) this.#topics.removeReader(topic, instance);
    }
    instance.reads = reads;
    this.#setReasons(instance, reasons);
  }

  #retire(instance: UnitInstance<F, C, M>): void {
    this.#replaceOutputs(instance, [], []);
    for (const topic of instance.reads) this.#topics.removeReader(topic, instance);
    this.#setReasons(instance, []);
    this.#instances.get(instance.definition)?.delete(instance.key);
  }

  #replaceOutputs(
    instance: UnitInstance<F, C, M>,
    rows: readonly RowOutput<UnitInstance<F, C, M>, C>[],
    members: readonly MemberOutput<UnitInstance<F, C, M>, M>[],
  ): void {
    for (const row of instance.rows) this.#outputs.removeRow(row);
    for (const member of instance.members) this.#outputs.removeMember(member);
    for (const row of rows) this.#outputs.addRow(row);
    for (const member of members) this.#outputs.addMember(member);
    instance.rows = rows;
    instance.members = members;
  }

  #setReasons(instance: UnitInstance<F, C, M>, reasons: readonly string[]): void {
    instance.reasons = reasons;
    if (reasons.length > 0) this.#refusing.add(instance);
    else this.#refusing.delete(instance);
  }
}

const NONE: readonly never[] = [];

function idOf({ name, key }: UnitId): UnitId {
  return { name, key };
}
