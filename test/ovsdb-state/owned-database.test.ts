import { describe, expect, it } from '@jest/globals';
import { ref } from '../../src/ovsdb-state/index.ts';
import { bridges, marks } from '../support/model-bridges.ts';
import { ModelSession } from '../support/model-session.ts';
import type { ModelRow, ModelRows } from '../support/model-wish.ts';

describe('OwnedDatabase', () => {
  it('writes parents and children, marked, and is then in sync', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1', 'p2'], b2: [] }));
    expect(session.names('Bridge')).toEqual(['b1', 'b2']);
    expect(session.in('Bridge', 'b1', 'ports', 'Port')).toEqual(['p1', 'p2']);
    expect(session.status()).toEqual({ inSync: true, owned: { Bridge: 2, Port: 2 }, problems: [] });
    const row = session.database.tables.get('Port')?.get(session.uuid('Port', 'p1'));
    expect(row?.external_ids).toEqual(
      new Map([
        ['kube-northbound/installation', 'ours'],
        ['kube-northbound/key', 'p1'],
        ['kube-northbound/unit', 'unit/p1'],
      ]),
    );
  });

  it('writes nothing when it starts on a database that is as it should be', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'] }, { addresses: ['a', 'b'], options: { x: '1' } }));
    const { length } = session.database.sent;
    await session.restart();
    expect(session.database.sent).toHaveLength(length);
    expect(session.status().inSync).toBe(true);
  });

  it('updates rows in place', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'] }, { addresses: ['a'] }));
    const uuid = session.uuid('Port', 'p1');
    await session.want(bridges({ b1: ['p1'] }, { addresses: ['b'], tag: 7, options: { x: '1' } }));
    const row = session.database.tables.get('Port')?.get(uuid);
    expect(row).toMatchObject({ addresses: new Set(['b']), tag: 7, options: new Map([['x', '1']]) });
  });

  it('removes what nobody wants, only when that is allowed', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1', 'p2'], b2: ['p3'] }));
    session.owned.setPrune(false);
    await session.want(bridges({ b1: ['p1'] }));
    expect(session.names('Port')).toEqual(['p1', 'p2', 'p3']);
    session.owned.setPrune(true);
    await session.settle();
    expect(session.names('Port')).toEqual(['p1']);
    expect(session.names('Bridge')).toEqual(['b1']);
  });

  it('moves a child from one parent to another in one transaction and as one row', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'], b2: [] }));
    const uuid = session.uuid('Port', 'p1');
    const { length } = session.database.sent;
    session.owned.setPrune(false);
    await session.want(bridges({ b1: [], b2: ['p1'] }));
    expect(session.uuid('Port', 'p1')).toBe(uuid);
    expect(session.in('Bridge', 'b1', 'ports', 'Port')).toEqual([]);
    expect(session.in('Bridge', 'b2', 'ports', 'Port')).toEqual(['p1']);
    expect(session.database.sent).toHaveLength(length + 1);
  });

  it('puts back what somebody deleted or changed, under a fresh UUID and with all references', async () => {
    const session = new ModelSession();
    const rows = bridges({ b1: ['p1'] }, { addresses: ['a'], pool: ref('Pool', 'l1') });
    await session.start({ ...rows, Pool: { l1: { columns: { name: 'l1' } } } });
    const [port, pool, bridge] = [
      session.uuid('Port', 'p1'),
      session.uuid('Pool', 'l1'),
      session.uuid('Bridge', 'b1'),
    ];
    session.database.execute([
      { op: 'delete', table: 'Pool', where: [] },
      {
        op: 'update',
        table: 'Port',
        where: [],
        row: { addresses: ['set', ['z']], tag: 3, external_ids: ['map', []] },
      },
    ]);
    await session.settle();
    expect(session.uuid('Pool', 'l1')).not.toBe(pool);
    expect(session.database.tables.get('Port')?.get(port)).toMatchObject({
      addresses: new Set(['a']),
      tag: undefined,
      pool: session.uuid('Pool', 'l1'),
    });
    session.database.execute([{ op: 'delete', table: 'Bridge', where: [] }]);
    await session.settle();
    expect(session.uuid('Bridge', 'b1')).not.toBe(bridge);
    expect(session.in('Bridge', 'b1', 'ports', 'Port')).toEqual(['p1']);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it('leaves the rows, members and keys of others alone', async () => {
    const session = new ModelSession();
    session.database.execute([
      { op: 'insert', table: 'Bridge', row: { name: 'theirs', ports: ['named-uuid', 'p'] } },
      { op: 'insert', table: 'Port', 'uuid-name': 'p', row: { name: 'their-port' } },
    ]);
    await session.settle();
    await session.start(bridges({ b1: ['p1'] }));
    session.database.execute([
      { op: 'insert', table: 'Port', 'uuid-name': 'q', row: { name: 'guest' } },
      {
        op: 'mutate',
        table: 'Bridge',
        where: [['name', '==', 'b1']],
        mutations: [
          ['ports', 'insert', ['set', [['named-uuid', 'q']]]],
          [
            'config',
            'insert',
            [
              'map',
              [
                ['other', '1'],
                ['a', '2'],
              ],
            ],
          ],
        ],
      },
    ]);
    await session.settle();
    expect(session.in('Bridge', 'b1', 'ports', 'Port')).toEqual(['guest', 'p1']);
    const config = session.database.tables.get('Bridge')?.get(session.uuid('Bridge', 'b1'))?.config;
    expect(config).toEqual(new Map([['other', '1']]));
    await session.want({});
    expect(session.names('Port')).toEqual(['guest', 'their-port']);
    expect(session.status().problems).toEqual([
      expect.objectContaining({
        kind: 'held',
        table: 'Bridge',
        key: 'b1',
        reason: expect.stringContaining('"guest"'),
      }),
    ]);
    session.database.execute([
      {
        op: 'mutate',
        table: 'Bridge',
        where: [['name', '==', 'b1']],
        mutations: [['ports', 'delete', ['uuid', session.uuid('Port', 'guest')]]],
      },
    ]);
    await session.settle();
    expect(session.names('Bridge')).toEqual(['theirs']);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it('lets go of a row that only stays for others when its marks are wiped away', async () => {
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
    await session.settle();
    await session.want({});
    expect(session.status().problems).toHaveLength(1);
    session.database.execute([
      { op: 'update', table: 'Bridge', where: [], row: { external_ids: ['map', []] } },
    ]);
    await session.settle();
    expect(session.status()).toEqual({ inSync: true, owned: {}, problems: [] });
    expect(session.names('Bridge')).toEqual(['b1']);
  });

  it('does not write a row whose name somebody else has, nor what needs it, until the name is free', async () => {
    const session = new ModelSession();
    session.database.execute([
      { op: 'insert', table: 'Bridge', row: { name: 'b1', external_ids: marks('b1', 'theirs') } },
    ]);
    await session.settle();
    await session.start(bridges({ b1: ['p1'], b2: ['p2'] }));
    expect(session.names('Port')).toEqual(['p2']);
    const uuid = session.uuid('Bridge', 'b1');
    expect(session.status().problems).toEqual([
      expect.objectContaining({ kind: 'conflict', table: 'Bridge', key: 'b1', unit: 'unit/b1' }),
      expect.objectContaining({ kind: 'blocked', table: 'Port', key: 'p1' }),
    ]);
    expect(session.status().problems[0]?.reason).toMatch(new RegExp(`"b1".*"theirs".*${uuid}`));
    session.database.execute([{ op: 'delete', table: 'Bridge', where: [['name', '==', 'b1']] }]);
    await session.settle();
    expect(session.names('Port')).toEqual(['p1', 'p2']);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it('does not write a row whose name somebody takes at the same instant', async () => {
    const session = new ModelSession();
    await session.start({});
    session.database.execute([{ op: 'insert', table: 'Bridge', row: { name: 'b1' } }]);
    // The session has not heard of that when it plans.
    await session.want(bridges({ b1: ['p1'], b2: [] }));
    await session.wait(1_000);
    expect(session.names('Bridge')).toEqual(['b1', 'b2']);
    expect(session.database.failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('timed out'),
    ]);
    expect(session.status().problems[0]).toMatchObject({ kind: 'conflict', table: 'Bridge', key: 'b1' });
  });

  it('gives the name of a row to another one of its own', async () => {
    const session = new ModelSession();
    await session.start({ Bridge: { k1: { columns: { name: 'b1' } } } });
    await session.want({ Bridge: { k2: { columns: { name: 'b1' } } } });
    expect(session.names('Bridge')).toEqual(['b1']);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it('keeps its row, and not a copy of it', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'] }));
    const original = session.uuid('Bridge', 'b1');
    for (const uuid of ['00000000-0000-4000-8000-000000000001', 'ffffffff-0000-4000-8000-000000000001']) {
      session.database.execute([
        { op: 'insert', table: 'Bridge', uuid, row: { name: 'b1', external_ids: marks('b1') } },
      ]);
      await session.settle();
      expect(session.names('Bridge')).toEqual(['b1']);
      expect(session.in('Bridge', 'b1', 'ports', 'Port')).toEqual(['p1']);
      expect(session.names('Port')).toEqual(['p1']);
    }
    expect(session.uuid('Bridge', 'b1')).toBe(original);
  });

  it('keeps the row with the least UUID where it finds several with one key', async () => {
    const session = new ModelSession();
    const uuids = ['2', '1', '3'].map(digit => `00000000-0000-4000-8000-00000000000${digit}`);
    session.database.execute(
      uuids.map(uuid => ({
        op: 'insert',
        table: 'Bridge',
        uuid,
        row: { name: 'b1', external_ids: marks('b1') },
      })),
    );
    await session.settle();
    await session.start(bridges({ b1: ['p1'] }));
    expect(session.names('Bridge')).toEqual(['b1']);
    expect(session.uuid('Bridge', 'b1')).toBe(uuids[1]);
  });

  it('reports a child that nobody holds, and does not write it', async () => {
    const session = new ModelSession();
    await session.start({ Port: { p1: { columns: { name: 'p1' } } } });
    expect(session.database.sent).toEqual([]);
    expect(session.status().problems).toEqual([
      expect.objectContaining({ kind: 'blocked', table: 'Port', key: 'p1' }),
    ]);
    await session.want(bridges({ b1: ['p1'] }));
    expect(session.names('Port')).toEqual(['p1']);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
  });

  it('writes a child together with the reference of a row that is there already', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'] }));
    const meter = (rate: number) => ({ Meter: { m: { columns: { rate } } } });
    await session.want({ ...bridges({ b1: ['p1'] }, { meter: ref('Meter', 'm') }), ...meter(5) });
    expect([...(session.database.tables.get('Meter')?.values() ?? [])]).toEqual([
      expect.objectContaining({ rate: 5 }),
    ]);
    expect(session.status()).toMatchObject({ inSync: true, problems: [] });
    await session.want({ ...bridges({ b1: ['p1'] }), ...meter(5) });
    expect(session.database.tables.get('Meter')?.size).toBe(0);
    expect(session.status().problems).toEqual([expect.objectContaining({ kind: 'blocked', table: 'Meter' })]);
  });

  it.each([false, true])(
    'never parts a child from what holds it, however many there are (parents there: %s)',
    async there => {
      const session = new ModelSession();
      const all = Array.from({ length: 350 }, (_, i) => `p${i}`);
      const rows = bridges({ b1: all });
      const columns = (name: string) => ({ columns: { name, meter: ref('Meter', name) } });
      if (there) await session.start(rows);
      let orphans = 0;
      session.database.witness = (operations, _, after) => {
        for (const { op, table, uuid } of operations) {
          if (op === 'insert' && !after.get(String(table))?.has(String(uuid))) orphans++;
        }
      };
      const meters = { Meter: Object.fromEntries(all.map(name => [name, { columns: { rate: 1 } }])) };
      const wanted = { ...rows, ...meters, Port: Object.fromEntries(all.map(name => [name, columns(name)])) };
      await (there ? session.want(wanted) : session.start(wanted));
      expect(session.database.tables.get('Meter')?.size).toBe(all.length);
      expect(orphans).toBe(0);
    },
  );

  it('keeps members that nobody wants as long as nothing may be removed', async () => {
    const session = new ModelSession();
    const group = (members: ModelRow['members']): ModelRows => ({
      ...bridges({ b1: ['p1'] }),
      Group: { g: { columns: { name: 'g' }, ...(members && { members }) } },
    });
    await session.start(group({ ports: { p1: ref('Port', 'p1') } }));
    session.owned.setPrune(false);
    await session.want(group(undefined));
    expect(session.in('Group', 'g', 'ports', 'Port')).toEqual(['p1']);
    session.owned.setPrune(true);
    await session.settle();
    expect(session.in('Group', 'g', 'ports', 'Port')).toEqual([]);
  });

  it('keeps elements of sets, too', async () => {
    const session = new ModelSession();
    const pool = (addresses: Readonly<Record<string, string>>, own = 'own'): ModelRows => ({
      Pool: { l1: { columns: { name: 'l1', addresses: [own] }, members: { addresses } } },
    });
    const found = () => session.database.tables.get('Pool')?.get(session.uuid('Pool', 'l1'))?.addresses;
    await session.start(pool({ a: '1', b: '2' }));
    session.owned.setPrune(false);
    await session.want(pool({ a: '1', c: '3' }));
    expect(found()).toEqual(new Set(['own', '1', '2', '3']));
    await session.want(pool({ a: '1' }, 'another'));
    expect(found()).toEqual(new Set(['own', '1', '2', '3', 'another']));
    session.owned.setPrune(true);
    await session.settle();
    expect(found()).toEqual(new Set(['1', 'another']));
  });

  it('does not write a child that only weak references hold', async () => {
    const session = new ModelSession();
    await session.start({
      Group: { g: { columns: { name: 'g' }, members: { ports: { p1: ref('Port', 'p1') } } } },
      Port: { p1: { columns: { name: 'p1' } } },
    });
    expect(session.status().problems).toEqual([
      expect.objectContaining({ kind: 'blocked', table: 'Port', key: 'p1' }),
    ]);
    expect(session.names('Port')).toEqual([]);
  });

  it('does not take a row of ours out of a row of others', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'] }));
    const ports = ['set', [['uuid', session.uuid('Port', 'p1')]]];
    session.database.execute([{ op: 'insert', table: 'Bridge', row: { name: 'theirs', ports } }]);
    await session.settle();
    await session.want(bridges({ b1: ['p1'] }, { tag: 1 }));
    expect(session.in('Bridge', 'theirs', 'ports', 'Port')).toEqual(['p1']);
    await session.want({});
    expect(session.in('Bridge', 'theirs', 'ports', 'Port')).toEqual(['p1']);
    expect(session.status().problems).toEqual([
      expect.objectContaining({ kind: 'held', key: 'p1', reason: expect.stringContaining('"theirs"') }),
    ]);
  });

  it('throws rows of others out of a set that is ours alone, once rows may be removed', async () => {
    const session = new ModelSession();
    await session.start({
      Group: { g: { columns: { name: 'g' }, members: { rules: { r: ref('Rule', 'r') } } } },
      Rule: { r: { columns: { match: 'ours' } } },
    });
    session.owned.setPrune(false);
    session.database.execute([
      { op: 'insert', table: 'Rule', 'uuid-name': 'x', row: { match: 'theirs' } },
      {
        op: 'mutate',
        table: 'Group',
        where: [],
        mutations: [['rules', 'insert', ['set', [['named-uuid', 'x']]]]],
      },
    ]);
    await session.settle();
    const rules = () => [...(session.database.tables.get('Rule')?.values() ?? [])].map(({ match }) => match);
    expect(rules()).toEqual(['ours', 'theirs']);
    session.owned.setPrune(true);
    await session.settle();
    expect(rules()).toEqual(['ours']);
  });

  it('merges all new members of a set into one mutation', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: [] }));
    await session.want(bridges({ b1: Array.from({ length: 20 }, (_, i) => `p${i}`) }));
    const mutations = session.database.sent.at(-1)?.filter(({ op }) => op === 'mutate');
    expect(mutations).toHaveLength(1);
    expect(session.in('Bridge', 'b1', 'ports', 'Port')).toHaveLength(20);
  });
});
