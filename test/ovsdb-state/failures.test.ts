import { describe, expect, it } from '@jest/globals';
import { OperationError } from '../../src/ovsdb-client/index.ts';
import { bridges } from '../support/model-bridges.ts';
import { ModelSession } from '../support/model-session.ts';

describe('OwnedDatabase, when things go wrong', () => {
  it('lets one bad row hold up no other, and tries it again', async () => {
    const session = new ModelSession();
    const refuse = new OperationError('constraint violation', 'no p3', undefined);
    session.database.fate = operations =>
      operations.some(({ row }) => (row as { name?: string } | undefined)?.name === 'p3')
        ? { kind: 'refused', error: refuse }
        : { kind: 'normal' };
    await session.start(bridges({ b1: ['p1', 'p2', 'p3', 'p4', 'p5'] }));
    await session.wait(0);
    expect(session.names('Port')).toEqual(['p1', 'p2', 'p4', 'p5']);
    expect(session.status().problems).toEqual([
      expect.objectContaining({
        kind: 'failed',
        table: 'Port',
        key: 'p3',
        reason: expect.stringContaining('no p3'),
      }),
    ]);
    session.database.fate = () => ({ kind: 'normal' });
    await session.wait(1000);
    expect(session.names('Port')).toEqual(['p1', 'p2', 'p3', 'p4', 'p5']);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it.each(['index', 'details'])(
    'blames the row that an error names by %s, and writes all others at once',
    async by => {
      const session = new ModelSession();
      session.database.fate = operations => {
        const index = operations.findIndex(
          ({ row }) => (row as { name?: string } | undefined)?.name === 'p3',
        );
        if (index < 0) return { kind: 'normal' };
        const error =
          by === 'index'
            ? new OperationError('constraint violation', 'no p3', index)
            : new OperationError('constraint violation', `row ${operations[index]?.uuid} is bad`, undefined);
        return { kind: 'refused', error };
      };
      await session.start(bridges({ b1: ['p1', 'p2', 'p3', 'p4'] }));
      expect(session.database.sent).toHaveLength(2);
      expect(session.names('Port')).toEqual(['p1', 'p2', 'p4']);
      expect(session.status().problems).toEqual([
        expect.objectContaining({ kind: 'failed', table: 'Port', key: 'p3' }),
      ]);
    },
  );

  it('refuses a value that its column cannot hold, and writes the rest', async () => {
    const session = new ModelSession();
    const rows = bridges({ b1: ['p1', 'p2'] });
    await session.start({ ...rows, Port: { ...rows.Port, p2: { columns: { name: 'p2', tag: 101 } } } });
    expect(session.names('Port')).toEqual(['p1']);
    expect(session.status().problems).toEqual([
      expect.objectContaining({ kind: 'failed', key: 'p2', reason: expect.stringContaining('tag') }),
    ]);
  });

  it('refuses a row whose key cannot be written into its marks, and writes the rest', async () => {
    const session = new ModelSession();
    const { Bridge, ...rest } = bridges({ b1: ['p1'] });
    await session.start({ ...rest, Bridge: { ...Bridge, 'b\ud800': { columns: { name: 'b2' } } } });
    expect(session.names('Port')).toEqual(['p1']);
    expect(session.names('Bridge')).toEqual(['b1']);
    expect(session.status().problems).toEqual([
      expect.objectContaining({ kind: 'failed', reason: expect.stringContaining('external_ids') }),
    ]);
  });

  it.each([true, false])('goes on after a lost answer (applied: %s)', async applied => {
    const session = new ModelSession();
    session.database.fate = () => ({ kind: 'lost', applied });
    await session.start(bridges({ b1: ['p1'] }));
    session.database.fate = () => ({ kind: 'normal' });
    session.database.reconnect();
    await session.settle();
    expect(session.names('Bridge')).toEqual(['b1']);
    expect(session.names('Port')).toEqual(['p1']);
    expect(session.status().inSync).toBe(true);
  });

  it('copes with an answer that comes before its update', async () => {
    const session = new ModelSession();
    session.database.fate = () => ({ kind: 'answer-first' });
    await session.start(bridges({ b1: ['p1'] }));
    await session.want(bridges({ b1: ['p1', 'p2'], b2: [] }));
    expect(session.names('Port')).toEqual(['p1', 'p2']);
    expect(session.database.failures).toEqual([]);
    expect(session.status().inSync).toBe(true);
  });

  it('keeps a row into which somebody put a row of theirs at the last moment', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: [] }));
    session.database.execute([
      { op: 'insert', table: 'Port', 'uuid-name': 'q', row: { name: 'guest' } },
      {
        op: 'mutate',
        table: 'Bridge',
        where: [],
        mutations: [['ports', 'insert', ['set', [['named-uuid', 'q']]]]],
      },
    ]);
    // The session has not heard of that when it plans.
    await session.want({});
    await session.wait(1_000);
    expect(session.names('Port')).toEqual(['guest']);
    expect(session.status().problems).toEqual([expect.objectContaining({ kind: 'held', key: 'b1' })]);
  });

  it('lets go of a key that somebody changes back three times within a minute', async () => {
    const warnings: object[] = [];
    const session = new ModelSession({
      log: { debug() {}, info() {}, warn: fields => warnings.push(fields) },
    });
    await session.start(bridges({ b1: ['p1'] }, { options: { x: 'ours' } }));
    const change = async (): Promise<unknown> => {
      session.database.execute([
        {
          op: 'update',
          table: 'Port',
          where: [],
          row: { options: ['map', [['x', 'theirs']]] },
        },
      ]);
      await session.wait(5_000);
      return session.database.tables.get('Port')?.get(session.uuid('Port', 'p1'))?.options;
    };
    expect(await change()).toEqual(new Map([['x', 'ours']]));
    expect(await change()).toEqual(new Map([['x', 'ours']]));
    expect(await change()).toEqual(new Map([['x', 'theirs']]));
    expect(session.status().problems).toEqual([
      expect.objectContaining({
        kind: 'fight',
        table: 'Port',
        key: 'p1',
        reason: expect.stringMatching(/options:x.*"theirs".*"ours"/),
      }),
    ]);
    expect(await change()).toEqual(new Map([['x', 'theirs']]));
    expect(warnings).toEqual([
      { table: 'Port', key: 'p1', column: 'options', mapKey: 'x', wanted: 'ours', found: 'theirs' },
    ]);
    await session.want(bridges({ b1: ['p1'] }, { options: { x: 'new' } }));
    expect(session.database.tables.get('Port')?.get(session.uuid('Port', 'p1'))?.options).toEqual(
      new Map([['x', 'new']]),
    );
    expect(session.status().problems).toEqual([]);
  });

  it('repairs a row ever more slowly when somebody keeps changing it', async () => {
    const warnings: object[] = [];
    const session = new ModelSession({
      log: { debug() {}, info() {}, warn: fields => warnings.push(fields) },
    });
    await session.start(bridges({ b1: ['p1'] }, { addresses: ['ours'] }));
    const repaired = async (): Promise<boolean> => {
      session.database.execute([{ op: 'update', table: 'Port', where: [], row: { addresses: 'theirs' } }]);
      await session.settle();
      const row = session.database.tables.get('Port')?.get(session.uuid('Port', 'p1'));
      return row?.addresses instanceof Set && row.addresses.has('ours');
    };
    for (let i = 0; i < 3; i++) expect(await repaired()).toBe(true);
    expect(await repaired()).toBe(false);
    expect(session.status()).toMatchObject({
      inSync: false,
      problems: [expect.objectContaining({ kind: 'fight', table: 'Port', key: 'p1' })],
    });
    expect(warnings).toEqual([{ table: 'Port', key: 'p1' }]);
    await session.want(bridges({ b1: ['p1'] }, { addresses: ['new'] }));
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
    await session.wait(1_000);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it.each([
    ['a column', { addresses: 'theirs' }],
    ['a key', { options: ['map', [['x', 'theirs']]] }],
  ])('does not hurry against somebody who changes %s while our answer is on its way', async (_, row) => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'] }, { addresses: ['ours'], options: { x: 'ours' } }));
    const { length } = session.database.sent;
    const change = () => session.database.execute([{ op: 'update', table: 'Port', where: [], row }]);
    session.database.witness = change;
    change();
    await session.wait(10_000);
    expect(session.database.sent.length - length).toBeGreaterThan(1);
    expect(session.database.sent.length - length).toBeLessThan(10);
  });
});
