import { describe, expect, it } from '@jest/globals';
import { Reconciler } from '../../src/master/reconciler.ts';

/** Units that wait to run, and a database that writes down what is asked of it. */
function setUp({ units, isEmpty }: { readonly units: number; readonly isEmpty: boolean }) {
  const said: string[] = [];
  const facts = {
    left: units,
    run(limit = Number.POSITIVE_INFINITY) {
      this.left = Math.max(0, this.left - limit);
      return { rows: [], members: [] };
    },
    get isSettled() {
      return this.left === 0;
    },
  };
  const rows = {
    isEmpty: () => isEmpty,
    resync: () => void said.push(`resync with ${facts.left} left`),
    apply: () => void said.push(`apply with ${facts.left} left`),
    setPrune: (allowed: boolean) => void said.push(`prune: ${allowed}`),
  };
  return { facts, said, reconciler: new Reconciler(facts, rows) };
}

async function settled(reconciler: Reconciler): Promise<void> {
  while (!reconciler.isSettled) await new Promise(resolve => setImmediate(resolve));
}

describe('the first translation', () => {
  it('fills an empty database piece by piece, and removes nothing before all is known', async () => {
    const { said, reconciler } = setUp({ units: 1_200, isEmpty: true });
    reconciler.follow(true);
    expect(said).toEqual(['resync with 700 left']);
    expect(reconciler.isSettled).toBe(false);
    await settled(reconciler);
    expect(said).toEqual(['resync with 700 left', 'apply with 200 left', 'apply with 0 left', 'prune: true']);
  });

  it('leaves a database that has rows of ours alone until all is known', async () => {
    const { said, reconciler } = setUp({ units: 1_200, isEmpty: false });
    reconciler.follow(false);
    expect(said).toEqual([]);
    await settled(reconciler);
    expect(said).toEqual(['prune: false', 'resync with 0 left']);
  });

  it('takes along what changes meanwhile, and the last word on removing', async () => {
    const { facts, said, reconciler } = setUp({ units: 600, isEmpty: true });
    reconciler.follow(false);
    facts.left += 500;
    reconciler.follow(true);
    await settled(reconciler);
    expect(said).toEqual(['resync with 100 left', 'apply with 100 left', 'apply with 0 left', 'prune: true']);
  });

  it('ends when it is closed', async () => {
    const { said, reconciler } = setUp({ units: 1_200, isEmpty: true });
    reconciler.follow(true);
    reconciler.close();
    await new Promise(resolve => setImmediate(resolve));
    expect(said).toEqual(['resync with 700 left']);
  });

  it('is done at once where there is little', () => {
    const { said, reconciler } = setUp({ units: 3, isEmpty: true });
    reconciler.follow(true);
    expect(said).toEqual(['resync with 0 left', 'prune: true']);
    expect(reconciler.isSettled).toBe(true);
  });
});

describe('every later change', () => {
  it('is translated whole before any of it is written', () => {
    const { facts, said, reconciler } = setUp({ units: 3, isEmpty: true });
    reconciler.follow(true);
    said.length = 0;
    facts.left = 5_000;
    reconciler.follow(true);
    expect(said).toEqual(['prune: true', 'apply with 0 left']);
  });
});
