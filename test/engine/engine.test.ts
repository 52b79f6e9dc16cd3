import { describe, expect, it } from '@jest/globals';
import { Engine, FactStore, type UnitDefinition } from '../../src/engine/index.ts';

interface Facts {
  pod: { readonly node: string; readonly row?: string; readonly ip?: string };
  node: { readonly name: string };
  config: { readonly strict: boolean };
}
type Unit = UnitDefinition<Facts, Readonly<Record<string, string>>, string>;

function setUp(...units: readonly Unit[]) {
  const store = new FactStore<Facts>();
  return { store, engine: new Engine(store, units) };
}

/** Declares the row of `pod.row` and puts the pod's address into its node's `ips`. */
const podUnit: Unit = {
  name: 'pod',
  over: 'pod',
  run(read, emit, key) {
    const pod = read.get('pod', key);
    if (!pod) return;
    emit.row('Port', pod.row ?? key, { node: pod.node });
    if (pod.ip !== undefined) emit.member('Switch', pod.node, 'ips', pod.ip, `${key}:${pod.ip}`);
  },
};

const nodeUnit: Unit = {
  name: 'node',
  over: 'node',
  run: (_read, emit, key) => emit.row('Switch', key, { name: key }),
};

describe('a run by pieces', () => {
  it('runs no more units than it may, those of the first definition first, and tells when nothing is left', () => {
    const { store, engine } = setUp(nodeUnit, podUnit);
    for (const key of ['a', 'b', 'c']) store.put('pod', key, { node: 'n1' });
    for (const name of ['n1', 'n2']) store.put('node', name, { name });
    expect(engine.isSettled).toBe(false);
    expect(engine.run(3).rows.map(({ key }) => key)).toEqual(['n1', 'n2', 'a']);
    expect(engine.isSettled).toBe(false);
    expect(engine.run(3).rows.map(({ key }) => key)).toEqual(['b', 'c']);
    expect(engine.isSettled).toBe(true);
  });
});

describe('units over a kind', () => {
  it('there is one for each fact, as long as the fact is there', () => {
    const { store, engine } = setUp(podUnit);
    store.put('pod', 'a', { node: 'n1' });
    store.put('pod', 'b', { node: 'n2' });
    expect(engine.run().rows).toEqual([
      { table: 'Port', key: 'a' },
      { table: 'Port', key: 'b' },
    ]);
    expect(engine.row('Port', 'a')).toEqual({
      columns: { node: 'n1' },
      unit: { name: 'pod', key: 'a' },
      memberColumns: [],
    });
    store.delete('pod', 'a');
    expect(engine.run()).toEqual({ rows: [{ table: 'Port', key: 'a' }], members: [] });
    expect(engine.row('Port', 'a')).toBeUndefined();
    expect([...engine.rowIds()]).toEqual([{ table: 'Port', key: 'b' }]);
  });

  it('finds facts that were there before the engine', () => {
    const store = new FactStore<Facts>();
    store.put('pod', 'a', { node: 'n1' });
    const engine = new Engine(store, [podUnit]);
    expect(engine.run().rows).toHaveLength(1);
  });

  it('a fact that goes and returns between two runs changes nothing', () => {
    const { store, engine } = setUp(podUnit);
    store.put('pod', 'a', { node: 'n1', ip: '10.0.0.1' });
    engine.run();
    store.delete('pod', 'a');
    store.put('pod', 'a', { node: 'n1', ip: '10.0.0.1' });
    expect(engine.run()).toEqual({ rows: [], members: [] });
  });

  it('refuses two units of one name', () => {
    expect(() => setUp(podUnit, podUnit)).toThrow('two units have one name');
  });
});

describe('tracked reads', () => {
  it('wakes readers of keys for a key, and readers of any only when that flips', () => {
    const runs: string[] = [];
    const reading = (name: string, run: Unit['run']): Unit => ({
      name,
      run: (read, emit, key) => {
        runs.push(name);
        run(read, emit, key);
      },
    });
    const { store, engine } = setUp(
      reading('any', read => read.any('node')),
      reading('keys', read => read.keys('node')),
      reading('one', read => read.get('node', 'n1')),
    );
    const step = (change: () => void) => {
      runs.length = 0;
      change();
      engine.run();
      return [...runs].sort();
    };
    expect(step(() => undefined)).toEqual(['any', 'keys', 'one']);
    expect(step(() => store.put('node', 'n1', { name: '1' }))).toEqual(['any', 'keys', 'one']);
    expect(step(() => store.put('node', 'n1', { name: 'one' }))).toEqual(['one']);
    expect(step(() => store.put('node', 'n2', { name: '2' }))).toEqual(['keys']);
    expect(step(() => store.put('node', 'n2', { name: 'two' }))).toEqual([]);
    expect(step(() => store.delete('node', 'n1'))).toEqual(['keys', 'one']);
    expect(step(() => store.delete('node', 'n2'))).toEqual(['any', 'keys']);
    expect(step(() => undefined)).toEqual([]);
  });

  it('a unit is no longer woken by what it does not read any more', () => {
    let runs = 0;
    const { store, engine } = setUp({
      name: 'fickle',
      run(read) {
        runs++;
        if (read.get('config', '')?.strict) read.get('node', 'n1');
      },
    });
    store.put('config', '', { strict: true });
    engine.run();
    store.put('config', '', { strict: false });
    engine.run();
    runs = 0;
    store.put('node', 'n1', { name: 'one' });
    engine.run();
    expect(runs).toBe(0);
  });

  it('refuses reads and emits outside of a run', () => {
    const leaked: (() => void)[] = [];
    const { engine } = setUp({
      name: 'leaky',
      run(read, emit) {
        leaked.push(() => read.any('node'));
        leaked.push(() => emit.row('Port', 'late', {}));
        leaked.push(() => emit.member('Port', 'late', 'ips', '1', '1'));
        leaked.push(() => emit.refuse('late'));
      },
    });
    engine.run();
    expect(leaked).toHaveLength(4);
    for (const late of leaked) expect(late).toThrow('only while it runs');
    expect([...engine.rowIds(), ...engine.refusals()]).toEqual([]);
  });
});

describe('members', () => {
  it('count once their row is declared, and leave with it', () => {
    const { store, engine } = setUp(podUnit, nodeUnit);
    store.put('pod', 'a', { node: 'n1', ip: '10.0.0.1' });
    expect(engine.run().members).toEqual([]);
    expect([...engine.members('Switch', 'n1', 'ips')]).toEqual([]);
    expect(engine.member('Switch', 'n1', 'ips', '10.0.0.1')).toBeUndefined();

    const change = { table: 'Switch', key: 'n1', column: 'ips', id: '10.0.0.1' };
    store.put('node', 'n1', { name: 'one' });
    expect(engine.run()).toEqual({
      rows: [{ table: 'Switch', key: 'n1' }],
      members: [{ ...change, present: true }],
    });
    expect([...engine.members('Switch', 'n1', 'ips')]).toEqual([['10.0.0.1', 'a:10.0.0.1']]);
    expect(engine.row('Switch', 'n1')?.memberColumns).toEqual(['ips']);

    store.delete('node', 'n1');
    expect(engine.run()).toEqual({
      rows: [{ table: 'Switch', key: 'n1' }],
      members: [{ ...change, present: false }],
    });
  });

  it('stay until the last unit that adds them leaves', () => {
    const { store, engine } = setUp(podUnit, nodeUnit);
    store.put('node', 'n1', { name: 'one' });
    for (const key of ['b', 'a', 'c']) store.put('pod', key, { node: 'n1', ip: '10.0.0.1' });
    engine.run();
    expect([...engine.members('Switch', 'n1', 'ips')]).toEqual([['10.0.0.1', 'a:10.0.0.1']]);
    store.delete('pod', 'c');
    expect(engine.run().members).toEqual([]);
    store.delete('pod', 'a');
    const change = { table: 'Switch', key: 'n1', column: 'ips', id: '10.0.0.1' };
    expect(engine.run().members).toEqual([{ ...change, present: true }]);
    expect(engine.member('Switch', 'n1', 'ips', '10.0.0.1')).toBe('b:10.0.0.1');
    store.delete('pod', 'b');
    expect(engine.run().members).toEqual([{ ...change, present: false }]);
    expect(engine.row('Switch', 'n1')?.memberColumns).toEqual([]);
  });
});

describe('two units with one row', () => {
  const conflict = {
    unit: { name: 'pod', key: 'b' },
    reason: 'the Port row "x" of pod/b is also that of pod/a, which has it; rename one of the two',
  };

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('the lower id wins, also when %s comes first', (first, second) => {
    const { store, engine } = setUp(podUnit);
    for (const key of [first, second]) {
      store.put('pod', key, { node: key, row: 'x' });
      engine.run();
    }
    expect(engine.row('Port', 'x')?.columns).toEqual({ node: 'a' });
    expect(engine.refusals()).toEqual([conflict]);
  });

  it('the other gets it when the winner withdraws', () => {
    const { store, engine } = setUp(podUnit);
    store.put('pod', 'a', { node: 'a', row: 'x' });
    store.put('pod', 'b', { node: 'b', row: 'x' });
    engine.run();
    store.delete('pod', 'a');
    expect(engine.run().rows).toEqual([{ table: 'Port', key: 'x' }]);
    expect(engine.row('Port', 'x')).toMatchObject({
      columns: { node: 'b' },
      unit: { name: 'pod', key: 'b' },
    });
    expect(engine.refusals()).toEqual([]);
  });

  it('a new winner with the same columns is a change: the row is another unit’s', () => {
    const { store, engine } = setUp(podUnit);
    store.put('pod', 'b', { node: 'n', row: 'x' });
    engine.run();
    store.put('pod', 'a', { node: 'n', row: 'x' });
    expect(engine.run().rows).toEqual([{ table: 'Port', key: 'x' }]);
  });

  it('of what one unit says twice the first counts, also after another unit had the row', () => {
    const { store, engine } = setUp(podUnit, {
      name: 'stutter',
      run(_read, emit) {
        emit.row('Port', 'x', { say: 'first' });
        emit.row('Port', 'x', { say: 'second' });
      },
    });
    engine.run();
    store.put('pod', 'a', { node: 'n', row: 'x' });
    engine.run();
    expect(engine.row('Port', 'x')?.columns).toEqual({ node: 'n' });
    store.delete('pod', 'a');
    engine.run();
    expect(engine.row('Port', 'x')?.columns).toEqual({ say: 'first' });
  });

  it('a unit that declares a row twice is told so', () => {
    const { engine } = setUp({
      name: 'stutter',
      run(_read, emit) {
        emit.row('Port', 'x', { say: 'first' });
        emit.row('Port', 'x', { say: 'second' });
      },
    });
    engine.run();
    expect(engine.row('Port', 'x')?.columns).toEqual({ say: 'first' });
    expect(engine.refusals()).toEqual([
      {
        unit: { name: 'stutter', key: '' },
        reason: 'stutter declares the Port row "x" twice; the first one counts',
      },
    ]);
  });
});

describe('refusals', () => {
  const strictUnit: Unit = {
    name: 'strict',
    over: 'pod',
    run(read, emit, key) {
      emit.row('Port', key, {});
      emit.member('Switch', 'n', 'ports', key, key);
      emit.refuse('it is odd');
      if (read.get('config', '')?.strict) throw new Error('it is forbidden');
    },
  };

  it('a unit that refuses keeps what it emits; one that throws keeps nothing, until its input changes', () => {
    const { store, engine } = setUp(strictUnit);
    store.put('pod', 'b', { node: 'n' });
    store.put('pod', 'a', { node: 'n' });
    engine.run();
    const refusals = (reason: string) => ['a', 'b'].map(key => ({ unit: { name: 'strict', key }, reason }));
    expect(engine.refusals()).toEqual(refusals('it is odd'));
    expect([...engine.rowIds()]).toHaveLength(2);

    store.put('config', '', { strict: true });
    expect(engine.run().rows).toHaveLength(2);
    expect(engine.refusals()).toEqual(refusals('it is forbidden'));
    expect([...engine.rowIds()]).toEqual([]);

    store.put('config', '', { strict: false });
    engine.run();
    expect(engine.refusals()).toEqual(refusals('it is odd'));
    store.delete('pod', 'a');
    store.delete('pod', 'b');
    engine.run();
    expect(engine.refusals()).toEqual([]);
  });

  it('one unit that throws stops no other', () => {
    const { store, engine } = setUp({ name: 'broken', run: () => fail() }, podUnit);
    store.put('pod', 'a', { node: 'n' });
    engine.run();
    expect(engine.row('Port', 'a')).toBeDefined();
    expect(engine.refusals()).toEqual([{ unit: { name: 'broken', key: '' }, reason: 'boom' }]);
  });
});

describe('explain', () => {
  it('names units and the facts that they read', () => {
    const { store, engine } = setUp(podUnit, {
      name: 'switches',
      run(read, emit) {
        read.any('config');
        for (const key of read.keys('node')) emit.row('Switch', key, {});
      },
    });
    store.put('node', 'n1', { name: 'one' });
    store.put('pod', 'b', { node: 'n1', ip: '10.0.0.1', row: 'x' });
    store.put('pod', 'a', { node: 'n1', ip: '10.0.0.1', row: 'x' });
    engine.run();
    const pod = (key: string) => ({
      unit: { name: 'pod', key },
      reads: [{ what: 'fact', kind: 'pod', key }],
    });
    expect(engine.explain('Switch', 'n1')).toEqual({
      row: {
        unit: { name: 'switches', key: '' },
        reads: [
          { what: 'any', kind: 'config', key: '' },
          { what: 'keys', kind: 'node', key: '' },
        ],
      },
      refused: [],
      members: [{ column: 'ips', id: '10.0.0.1', sources: [pod('a'), pod('b')] }],
    });
    expect(engine.explain('Port', 'x')).toEqual({ row: pod('a'), refused: [pod('b')], members: [] });
    expect(engine.explain('Port', 'y')).toBeUndefined();
  });
});

function fail(): never {
  throw new Error('boom');
}
