import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  Engine,
  FactStore,
  type OutputDelta,
  type Read,
  type UnitDefinition,
} from '../../src/engine/index.ts';

/** Two kinds that point at each other, with few keys and values, so that histories meet again and again. */
interface Facts {
  thing: number;
  other: number;
}
type Kind = keyof Facts;
type Unit = UnitDefinition<Facts, { readonly value: number }, number>;
type TestEngine = Engine<Facts, { readonly value: number }, number>;

const KEYS = ['k0', 'k1', 'k2', 'k3'];

/** Every feature at once: chained reads, shared rows, shared members, members without a row, refusals, throws. */
const units: readonly Unit[] = [
  {
    name: 'thing',
    over: 'thing',
    run(read, emit, key) {
      const value = read.get('thing', key) ?? 0;
      emit.row('Row', `shared${value % 3}`, { value });
      emit.member('Row', `shared${value % 2}`, 'members', `m${value % 2}`, value);
      const other = read.get('other', `k${value % 4}`);
      if (other !== undefined) emit.member('Other', `k${other % 4}`, 'seen-by', key, other);
      if (value === 3) emit.refuse(`${key} has three`);
      if (value === 4 && other !== undefined) throw new Error(`${key} has four, and there is ${other}`);
    },
  },
  {
    name: 'other',
    over: 'other',
    run(read, emit, key) {
      if ((read.get('other', key) ?? 0) > 1) emit.row('Other', key, { value: 0 });
      if (read.any('thing')) emit.member('Other', key, 'flags', 'there are things', 1);
    },
  },
  {
    name: 'census',
    run(read, emit) {
      emit.row('Census', 'things', { value: read.keys('thing').length });
      for (const key of read.keys('thing')) emit.member('Census', 'things', 'keys', key, 0);
    },
  },
];

/** A changed fact; or the engine runs all units, or as many as are given. */
type Step = { readonly kind: Kind; readonly key: string; readonly value: number | undefined } | 'run' | 1 | 2;

const change = fc.record({
  kind: fc.constantFrom<Kind>('thing', 'other'),
  key: fc.constantFrom(...KEYS),
  value: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
});
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: change }, fc.constantFrom('run' as const, 1 as const, 2 as const)),
  {
    maxLength: 40,
  },
);

function isChange(step: Step): step is Exclude<Step, 'run' | number> {
  return typeof step === 'object';
}

function run(engine: TestEngine, step: 'run' | number): OutputDelta {
  return step === 'run' ? engine.run() : engine.run(step);
}

function take(store: FactStore<Facts>, { kind, key, value }: Exclude<Step, 'run' | number>): void {
  if (value === undefined) store.delete(kind, key);
  else store.put(kind, key, value);
}

/** All that an engine says, in an order of its own. */
function dump(engine: TestEngine) {
  const rows = [...engine.rowIds()].map(({ table, key }) => {
    const row = engine.row(table, key);
    const members = row?.memberColumns.flatMap(column =>
      [...engine.members(table, key, column)].map(([id, value]) => `${column} ${id} = ${value}`).sort(),
    );
    return { id: `${table} ${key}`, columns: row?.columns, unit: row?.unit, members };
  });
  return { rows: rows.sort((a, b) => (a.id < b.id ? -1 : 1)), refusals: engine.refusals() };
}

function explanations(engine: TestEngine) {
  return [...engine.rowIds()]
    .map(({ table, key }) => [table, key, engine.explain(table, key)] as const)
    .sort();
}

/** An engine that sees the same facts for the first time, in another order. */
function fresh(store: FactStore<Facts>): TestEngine {
  const copy = new FactStore<Facts>();
  for (const kind of ['other', 'thing'] as const) {
    for (const key of [...store.keys(kind)].reverse()) {
      const fact = store.get(kind, key);
      if (fact !== undefined) copy.put(kind, key, fact);
    }
  }
  const engine = new Engine(copy, units);
  engine.run();
  return engine;
}

describe('an engine', () => {
  it('says what a fresh one says, whatever came before', () => {
    fc.assert(
      fc.property(steps, history => {
        const store = new FactStore<Facts>();
        const engine = new Engine(store, units);
        for (const step of history) {
          if (isChange(step)) take(store, step);
          else run(engine, step);
        }
        engine.run();
        const oracle = fresh(store);
        expect(dump(engine)).toEqual(dump(oracle));
        expect(explanations(engine)).toEqual(explanations(oracle));
      }),
      { numRuns: 80 },
    );
  });

  it('says exactly what changed', () => {
    fc.assert(
      fc.property(steps, history => {
        const store = new FactStore<Facts>();
        const engine = new Engine(store, units);
        const model = new Map<string, unknown>();
        for (const step of [...history, 'run' as const]) {
          if (isChange(step)) {
            take(store, step);
            continue;
          }
          for (const [id, value] of changes(engine, run(engine, step))) {
            expect(JSON.stringify(value)).not.toBe(JSON.stringify(model.get(id)));
            if (value === undefined) model.delete(id);
            else model.set(id, value);
          }
          expect(Object.fromEntries(model)).toEqual(Object.fromEntries(everything(engine)));
        }
      }),
      { numRuns: 80 },
    );
  });

  it('runs exactly the units that read a changed fact', () => {
    fc.assert(
      fc.property(steps, fc.array(change, { maxLength: 10 }), (history, last) => {
        const store = new FactStore<Facts>();
        const reads = new Map<string, Set<string>>();
        const engine = new Engine(
          store,
          units.map(unit => recording(unit, reads)),
        );
        for (const step of history) if (isChange(step)) take(store, step);
        engine.run();
        for (const step of last) {
          const expected = readersOf(step, store, reads);
          const before = new Map(reads);
          take(store, step);
          engine.run();
          const ran = [...reads].filter(([unit, its]) => before.get(unit) !== its).map(([unit]) => unit);
          expect(ran.sort()).toEqual(expected);
          if (step.value === undefined) reads.delete(`${step.kind}/${step.key}`);
        }
      }),
      { numRuns: 80 },
    );
  });
});

/** What a delta says, as (what, its new value). Throws where it says one thing twice. */
function changes(engine: TestEngine, delta: OutputDelta): ReadonlyMap<string, unknown> {
  const result = new Map<string, unknown>();
  const say = (id: string, value: unknown) => {
    if (result.has(id)) throw new Error(`said twice: ${id}`);
    result.set(id, value);
  };
  for (const { table, key } of delta.rows) {
    const row = engine.row(table, key);
    say(`${table} ${key}`, row && [row.columns, row.unit]);
  }
  for (const { table, key, column, id, present } of delta.members) {
    const value = engine.member(table, key, column, id);
    expect(value !== undefined).toBe(present);
    say(`${table} ${key} ${column} ${id}`, value);
  }
  return result;
}

function everything(engine: TestEngine): ReadonlyMap<string, unknown> {
  const result = new Map<string, unknown>();
  for (const { table, key } of engine.rowIds()) {
    const row = engine.row(table, key);
    result.set(`${table} ${key}`, row && [row.columns, row.unit]);
    for (const column of row?.memberColumns ?? []) {
      for (const [id, value] of engine.members(table, key, column))
        result.set(`${table} ${key} ${column} ${id}`, value);
    }
  }
  return result;
}

/** The unit, with what each instance read last kept aside. */
function recording(unit: Unit, reads: Map<string, Set<string>>): Unit {
  return {
    ...unit,
    run(read, emit, key) {
      const mine = new Set<string>();
      reads.set(`${unit.name}/${key}`, mine);
      const noting: Read<Facts> = {
        get: (kind, id) => {
          mine.add(`fact ${kind} ${id}`);
          return read.get(kind, id);
        },
        keys: kind => {
          mine.add(`keys ${kind}`);
          return read.keys(kind);
        },
        any: kind => {
          mine.add(`any ${kind}`);
          return read.any(kind);
        },
      };
      unit.run(noting, emit, key);
    },
  };
}

function readersOf(
  { kind, key, value }: Exclude<Step, 'run' | number>,
  store: FactStore<Facts>,
  reads: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const old = store.get(kind, key);
  if (old === value) return [];
  const changed = [`fact ${kind} ${key}`];
  if (old === undefined || value === undefined) {
    changed.push(`keys ${kind}`);
    if (store.size(kind) === (value === undefined ? 1 : 0)) changed.push(`any ${kind}`);
  }
  const own = `${kind}/${key}`;
  const units = new Set(
    [...reads].filter(([, its]) => changed.some(read => its.has(read))).map(([unit]) => unit),
  );
  if (value === undefined) units.delete(own);
  else if (old === undefined) units.add(own);
  return [...units].sort();
}
