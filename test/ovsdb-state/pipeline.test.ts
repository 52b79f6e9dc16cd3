import { describe, expect, it } from '@jest/globals';
import { OperationError } from '../../src/ovsdb-client/index.ts';
import { ref } from '../../src/ovsdb-state/index.ts';
import { bridges } from '../support/model-bridges.ts';
import { ModelSession } from '../support/model-session.ts';

const many = (count: number) => Array.from({ length: count }, (_, number) => `p${number}`);

/** A session that was told of 1,400 new ports: three transactions. Nothing of it was heard of yet. */
function start(columns: object = {}): ModelSession {
  const session = new ModelSession();
  session.wish.set(bridges({ b1: many(700) }, columns));
  session.owned.setPrune(true);
  session.owned.resync();
  return session;
}

/** Lets the session plan and send, without hearing of anything. */
function turn(session: ModelSession): void {
  for (let turns = 0; turns < 5; turns++) session.clock.advance(0);
}

describe('while much is to be added', () => {
  it('one transaction is on its way while the server works on the one before, and no more', async () => {
    const session = start();
    turn(session);
    expect(session.database.sent).toHaveLength(2);
    await session.settle();
    expect(session.database.sent).toHaveLength(3);
    expect(session.names('Port')).toEqual(many(700).sort());
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it('a transaction fails whole where the one before it has failed', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: [] }));
    session.owned.apply(session.wish.set(bridges({ b1: many(700) })));
    let isFirst = true;
    session.database.fate = () => {
      if (!isFirst) return { kind: 'normal' };
      isFirst = false;
      return { kind: 'refused', error: new OperationError('I/O error', 'disk full', undefined) };
    };
    turn(session);
    expect(session.database.sent).toHaveLength(3);
    expect(session.database.tables.get('Port')?.size ?? 0).toBe(0);
    await session.wait(60_000);
    expect(session.names('Port')).toEqual(many(700).sort());
    expect(session.in('Bridge', 'b1', 'ports', 'Port')).toHaveLength(700);
  });

  it.each([
    [1, true],
    [1, false],
    [2, true],
    [2, false],
    [3, true],
    [3, false],
  ])(
    'nothing is lost when the connection breaks at transaction %d (carried out: %p)',
    async (number, applied) => {
      const session = start();
      let sent = 0;
      session.database.fate = () => {
        sent += 1;
        return sent === number ? { kind: 'lost', applied } : { kind: 'normal' };
      };
      await session.settle();
      session.database.reconnect();
      await session.wait(60_000);
      expect(session.names('Port')).toEqual(many(700).sort());
      expect(session.in('Bridge', 'b1', 'ports', 'Port')).toHaveLength(700);
      expect(session.status()).toMatchObject({ inSync: true, problems: [] });
    },
  );

  it('a row that changes while it is on its way is written again once it is there', async () => {
    const session = start({ tag: 1 });
    turn(session);
    session.owned.apply(session.wish.set(bridges({ b1: many(700) }, { tag: 2 })));
    turn(session);
    await session.settle();
    const tags = [...(session.database.tables.get('Port')?.values() ?? [])].map(({ tag }) => tag);
    expect(new Set(tags)).toEqual(new Set([2]));
  });

  it('a row that is no longer wanted while it is on its way goes once it is there', async () => {
    const session = start();
    turn(session);
    session.owned.apply(session.wish.set(bridges({ b1: ['p3'] })));
    await session.settle();
    expect(session.names('Port')).toEqual(['p3']);
  });

  it('a row that does not come as it was sent is compared', async () => {
    const session = start({ tag: 1 });
    turn(session);
    session.database.execute([
      { op: 'update', table: 'Port', where: [['name', '==', 'p7']], row: { tag: 9 } },
    ]);
    session.database.deliverAtOnce();
    await session.settle();
    expect([...(session.database.tables.get('Port')?.values() ?? [])].every(({ tag }) => tag === 1)).toBe(
      true,
    );
  });

  it('a membership that somebody takes away before we hear of it is put back', async () => {
    const session = new ModelSession();
    const rows = (pools: readonly string[]) => ({
      ...bridges({ b1: [] }),
      Bridge: {
        b1: {
          columns: { name: 'b1' },
          members: { pools: Object.fromEntries(pools.map(name => [name, ref('Pool', name)])) },
        },
      },
      Pool: Object.fromEntries(pools.map(name => [name, { columns: { name } }])),
    });
    await session.start(rows([]));
    session.owned.apply(session.wish.set(rows(['q', 'r'])));
    turn(session);
    const uuid = session.uuid('Pool', 'q');
    session.database.execute([
      { op: 'mutate', table: 'Bridge', where: [], mutations: [['pools', 'delete', ['uuid', uuid]]] },
    ]);
    session.database.deliverAtOnce();
    await session.wait(60_000);
    expect(session.in('Bridge', 'b1', 'pools', 'Pool')).toEqual(['q', 'r']);
  });
});
