import type { FactStore } from './fact-store.ts';
import type { MemberOutput, RowOutput } from './output.ts';
import type { Topic, Topics } from './topics.ts';
import type { Emit, FactRead, Read } from './types.ts';
import type { UnitInstance } from './unit-instance.ts';

/** What one run of a unit read and said. */
interface RunResult<F, C, M> {
  readonly reads: readonly Topic<UnitInstance<F, C, M>>[];
  readonly rows: readonly RowOutput<UnitInstance<F, C, M>, C>[];
  readonly members: readonly MemberOutput<UnitInstance<F, C, M>, M>[];
  readonly reasons: readonly string[];
}

/** What a running unit reads from and speaks to: a single one for all units, as they run one after the other. */
export class RunContext<F, C, M> implements Read<F>, Emit<C, M> {
  readonly #store: FactStore<F>;
  readonly #topics: Topics<UnitInstance<F, C, M>>;
  #unit: UnitInstance<F, C, M> | undefined;
  readonly #reads: Topic<UnitInstance<F, C, M>>[] = [];
  readonly #rows: RowOutput<UnitInstance<F, C, M>, C>[] = [];
  readonly #members: MemberOutput<UnitInstance<F, C, M>, M>[] = [];
  readonly #reasons: string[] = [];
  #runNumber = 0;

  constructor(store: FactStore<F>, topics: Topics<UnitInstance<F, C, M>>) {
    this.#store = store;
    this.#topics = topics;
  }

  /** The number of the last run: topics that it read carry it. */
  get runNumber(): number {
    return this.#runNumber;
  }

  /** Runs a unit. One that throws has said nothing but the error's message; what it read until then counts. */
  run(unit: UnitInstance<F, C, M>): RunResult<F, C, M> {
    this.#runNumber++;
    this.#unit = unit;
    try {
      unit.definition.run(this, this, unit.key);
    } catch (error) {
      for (const said of [this.#rows, this.#members, this.#reasons]) said.length = 0;
      this.#reasons.push(error instanceof Error ? error.message : String(error));
    }
    this.#unit = undefined;
    return {
      reads: take(this.#reads),
      rows: take(this.#rows),
      members: take(this.#members),
      reasons: take(this.#reasons),
    };
  }

  get<K extends keyof F & string>(kind: K, key: string): F[K] | undefined {
    this.#note('fact', kind, key);
    return this.#store.get(kind, key);
  }

  keys<K extends keyof F & string>(kind: K): readonly string[] {
    this.#note('keys', kind, '');
    return this.#store.keys(kind);
  }

  any<K extends keyof F & string>(kind: K): boolean {
    this.#note('any', kind, '');
    return this.#store.size(kind) > 0;
  }

  row(table: string, key: string, columns: C): void {
    this.#rows.push({ unit: this.#running(), at: this.#rows.length, table, key, columns });
  }

  member(table: string, key: string, column: string, id: string, value: M): void {
    const at = this.#members.length;
    this.#members.push({ unit: this.#running(), at, table, key, column, id, value });
  }

  refuse(reason: string): void {
    this.#running();
    this.#reasons.push(reason);
  }

  #note(what: FactRead['what'], kind: string, key: string): void {
    this.#running();
    const topic = this.#topics.topic(what, kind, key);
    if (topic.readInRun === this.#runNumber) return;
    topic.readInRun = this.#runNumber;
    this.#reads.push(topic);
  }

  #running(): UnitInstance<F, C, M> {
    if (!this.#unit) throw new Error('a unit may read and emit only while it runs');
    return this.#unit;
  }
}

const NONE: readonly never[] = [];

/** Empties the list and gives what was in it, without the room to grow that an array filled by push() keeps. */
function take<T>(list: T[]): readonly T[] {
  if (list.length === 0) return NONE;
  const taken = list.slice();
  list.length = 0;
  return taken;
}
