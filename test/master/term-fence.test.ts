import { afterEach, describe, expect, it } from '@jest/globals';
import { TermFence } from '../../src/master/term-fence.ts';
import { readNorthboundSchema } from '../../src/northbound/index.ts';
import type { Operation } from '../../src/ovsdb-client/index.ts';
import { fenced } from '../../src/ovsdb-state/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelDatabase } from '../support/model-database.ts';

const KEY = 'kube-northbound/term/test';
const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

/** What somebody does who does not ask what was there. */
function stampOperations(text: string | undefined): readonly Operation[] {
  const insertion = text === undefined ? [] : [['external_ids', 'insert', ['map', [[KEY, text]]]]];
  const mutations = [['external_ids', 'delete', ['set', [KEY]]], ...insertion];
  return [{ op: 'mutate', table: 'NB_Global', where: [], mutations }];
}

/** A lease in the test's hand. */
class FakeLeadership {
  readonly identity: string;
  readonly #listeners = new Set<() => void>();
  readonly exceeded: number[] = [];
  #term: number | undefined;

  constructor(identity: string) {
    this.identity = identity;
  }

  get term(): number | undefined {
    return this.#term;
  }

  set term(term: number | undefined) {
    this.#term = term;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  exceed(term: number): void {
    this.exceeded.push(term);
  }
}

/** A master's fence on a northbound that may have an NB_Global with a stamp. */
class Setup {
  readonly clock = new FakeClock();
  readonly database = new ModelDatabase(readNorthboundSchema());
  readonly leadership = new FakeLeadership('me');
  readonly said: string[] = [];
  readonly fence: TermFence;

  constructor(ids?: Readonly<Record<string, string>>) {
    if (ids) this.#makeGlobal(ids);
    const say = (_: object, message: string) => void this.said.push(message);
    this.fence = new TermFence({
      ...{ leadership: this.leadership, database: this.database, installation: 'test', clock: this.clock },
      log: { debug() {}, info: say, warn: say, error: say },
    });
    closings.push(() => this.fence.close());
  }

  #makeGlobal(ids: Readonly<Record<string, string>>): void {
    this.byHand({ op: 'insert', table: 'NB_Global', row: { external_ids: ['map', Object.entries(ids)] } });
  }

  makeGlobal(): void {
    this.#makeGlobal({});
  }

  /** Somebody else writes; the session hears of it. */
  byHand(...operations: readonly Operation[]): void {
    this.database.execute(operations);
    while (this.database.deliver());
  }

  stampByHand(text: string | undefined): void {
    this.byHand(...stampOperations(text));
  }

  async settle(ms = 0): Promise<void> {
    for (let turn = 0; turn < 6; turn++) {
      this.clock.advance(turn === 0 ? ms : 0);
      while (this.database.deliver());
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  ids(): Readonly<Record<string, unknown>> {
    const [row] = this.database.rows('NB_Global').values();
    const map = row?.columns.external_ids;
    return map instanceof Map ? Object.fromEntries(map) : {};
  }
}

describe('the fence of a term', () => {
  it('is not held before the northbound carries the stamp of our term', async () => {
    const setup = new Setup({ theirs: 'stays' });
    await setup.settle();
    expect(setup.fence.held).toBe(false);
    setup.leadership.term = 3;
    expect(setup.fence.held).toBe(false);
    await setup.settle();
    expect(setup.fence.term).toBe(3);
    expect(setup.ids()).toEqual({ theirs: 'stays', [KEY]: '3/me' });
    expect(setup.database.sent).toHaveLength(1);
  });

  it('writes nothing where the stamp is ours already', async () => {
    const setup = new Setup({ [KEY]: '3/me' });
    setup.leadership.term = 3;
    await setup.settle(5_000);
    expect(setup.fence.held).toBe(true);
    expect(setup.database.sent).toEqual([]);
  });

  it('waits for NB_Global, which is not ours to make', async () => {
    const setup = new Setup();
    setup.leadership.term = 1;
    await setup.settle(5_000);
    expect(setup.database.sent).toEqual([]);
    expect(setup.said).toEqual([expect.stringContaining('no NB_Global yet')]);
    setup.makeGlobal();
    await setup.settle();
    expect(setup.fence.held).toBe(true);
  });

  it('is lost with the lease at once, and told at once', async () => {
    const setup = new Setup({});
    setup.leadership.term = 1;
    await setup.settle();
    const told: boolean[] = [];
    setup.fence.onChange(() => told.push(setup.fence.held));
    setup.leadership.term = undefined;
    expect(told).toEqual([false]);
    const database = fenced(setup.database, setup.fence);
    await expect(database.transact([])).rejects.toThrow('the right to write is lost');
  });

  it.each(['4/me', '4/another', '9/another'])(
    'does not replace %s by term 4 or less: it asks for more',
    async stamp => {
      const setup = new Setup({ [KEY]: stamp });
      setup.leadership.term = stamp === '4/me' ? 3 : 4;
      await setup.settle(5_000);
      expect(setup.database.sent).toEqual([]);
      const above = Number.parseInt(stamp, 10);
      expect(new Set(setup.leadership.exceeded)).toEqual(new Set([above]));
      setup.leadership.term = above + 1;
      await setup.settle(5_000);
      expect(setup.fence.term).toBe(above + 1);
      expect(setup.ids()).toEqual({ [KEY]: `${above + 1}/me` });
    },
  );

  it('is lost where another stamp shows, without anybody asking for a term that was lower', async () => {
    const setup = new Setup({});
    setup.leadership.term = 1;
    await setup.settle();
    const told: boolean[] = [];
    setup.fence.onChange(() => told.push(setup.fence.held));
    setup.stampByHand('2/another');
    expect(setup.fence.held).toBe(false);
    expect(told).toEqual([false]);
    expect(setup.leadership.exceeded).toEqual([]);
    await setup.settle(5_000);
    expect(setup.leadership.exceeded).not.toEqual([]);
    expect(setup.ids()).toEqual({ [KEY]: '2/another' });
  });

  it.each([undefined, 'nonsense', '/me', '-1/x', '1/', '2147483648/x'])(
    'puts a stamp right that became %s by hand',
    async text => {
      const setup = new Setup({});
      setup.leadership.term = 2;
      await setup.settle();
      setup.stampByHand(text);
      expect(setup.fence.held).toBe(false);
      await setup.settle(1_000);
      await setup.settle();
      expect(setup.fence.held).toBe(true);
      expect(setup.ids()).toEqual({ [KEY]: '2/me' });
      expect(setup.said.some(message => message.includes('makes no sense'))).toBe(text !== undefined);
    },
  );

  it('says what to do about a term that no Lease can exceed', async () => {
    const setup = new Setup({ [KEY]: '2147483647/x' });
    setup.leadership.term = 5;
    await setup.settle(5_000);
    expect(setup.said).toEqual([expect.stringContaining(`ovn-nbctl remove NB_Global . external_ids ${KEY}`)]);
    expect(setup.database.sent).toEqual([]);
    setup.stampByHand(undefined);
    await setup.settle();
    expect(setup.fence.held).toBe(true);
  });

  it('does not replace a stamp that came meanwhile', async () => {
    const setup = new Setup({ [KEY]: '1/old' });
    // The mirror does not show yet that somebody with a higher term was quicker.
    setup.database.execute(stampOperations('7/quicker'));
    setup.leadership.term = 2;
    setup.clock.advance(0);
    await setup.settle();
    expect(setup.database.failures).toHaveLength(1);
    expect(setup.fence.held).toBe(false);
    expect(setup.ids()).toEqual({ [KEY]: '7/quicker' });
  });

  it('does not put its stamp over one that came where none was', async () => {
    const setup = new Setup({});
    setup.database.execute(stampOperations('7/quicker'));
    setup.leadership.term = 2;
    setup.clock.advance(0);
    await setup.settle();
    expect(setup.database.failures).toHaveLength(1);
    expect(setup.ids()).toEqual({ [KEY]: '7/quicker' });
  });

  it('stamps again where the connection broke, whether that was carried out or not', async () => {
    for (const applied of [true, false]) {
      const setup = new Setup({});
      setup.database.fate = () => ({ kind: 'lost', applied });
      setup.leadership.term = 1;
      await setup.settle();
      setup.database.fate = () => ({ kind: 'normal' });
      setup.database.reconnect();
      await setup.settle(1_000);
      await setup.settle();
      expect(setup.fence.held).toBe(true);
      expect(setup.database.sent).toHaveLength(applied ? 1 : 2);
    }
  });

  it('refuses a late transaction whole, of a leader who does not know yet', async () => {
    const setup = new Setup({});
    setup.leadership.term = 1;
    await setup.settle();
    const database = fenced(setup.database, setup.fence);
    setup.database.execute(stampOperations('2/another'));
    expect(setup.fence.held).toBe(true);
    const late = database.transact([{ op: 'insert', table: 'Logical_Switch', row: { name: 'late' } }]);
    const refusal = expect(late).rejects.toThrow('the right to write is lost');
    await setup.settle();
    await refusal;
    expect(setup.database.rows('Logical_Switch').size).toBe(0);
  });
});
