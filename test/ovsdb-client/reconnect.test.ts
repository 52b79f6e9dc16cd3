import { describe, expect, it } from '@jest/globals';
import { EMPTY_MAP, InconsistentUpdateError, type RowDelta } from '../../src/ovsdb-client/index.ts';
import {
  type Handlers,
  SHOP_SCHEMA,
  serverRow,
  shop,
  transaction,
  uuid,
} from '../support/scripted-ovsdb-server.ts';
import { serverWith, sessionWith } from '../support/scripted-session.ts';

const NONE = '00000000-0000-0000-0000-000000000000';
const PEN = uuid(1);
const INK = uuid(2);

/** A shop whose answer to monitor_cond_since depends on the number of the connection. */
function shopBy(answers: readonly ((since: unknown) => unknown)[], overrides: Handlers = {}): Handlers {
  let connection = 0;
  return shop({}, { monitor_cond_since: params => answers[connection++]?.(params[3]), ...overrides });
}

const dumpOf = (rows: Readonly<Record<string, unknown>>, id = transaction(1)) => [
  false,
  id,
  { Item: Object.fromEntries(Object.entries(rows).map(([key, row]) => [key, { initial: row }])) },
];

/** The deltas, shortened. */
function told(deltas: readonly RowDelta[]): unknown[] {
  return deltas.map(delta => [
    delta.kind,
    delta.row.uuid,
    delta.kind === 'modify' ? delta.changed : delta.row.columns.name,
  ]);
}

describe('after a disconnect', () => {
  it('the rows stay, and the session goes on from the last transaction', async () => {
    const since: unknown[] = [];
    const server = await serverWith(
      shopBy([
        id => {
          since.push(id);
          return dumpOf({ [PEN]: { name: 'pen' } });
        },
        id => {
          since.push(id);
          return [true, transaction(8), { Item: { [PEN]: { modify: { price: 5 } } } }];
        },
      ]),
    );
    const { session, deltas, states, until } = sessionWith([server]);
    await session.ready(2000);
    const first = await server.peer(0);
    first.notify('update3', 'rows', transaction(7), { Item: { [INK]: { insert: { name: 'ink' } } } });
    await until(() => deltas.length === 2);
    first.socket.destroy();
    await until(() => states.length === 2);
    expect([session.state, session.rows('Item').size]).toEqual(['connecting', 2]);
    await session.ready(2000);
    expect(since).toEqual([NONE, transaction(7)]);
    expect(told(deltas)).toEqual([
      ['insert', PEN, 'pen'],
      ['insert', INK, 'ink'],
      ['modify', PEN, { price: { kind: 'scalar', old: undefined, new: 5 } }],
    ]);
    expect(states).toEqual(['ready', 'connecting', 'ready']);
  });

  it('a server that cannot resume gives a dump, of which only the differences are told', async () => {
    const server = await serverWith(
      shopBy([
        () => dumpOf({ [PEN]: { name: 'pen', tags: ['set', ['a', 'b']] }, [INK]: { name: 'ink' } }),
        () => dumpOf({ [PEN]: { name: 'pen', tags: ['set', ['b', 'c']] }, [uuid(3)]: { name: 'cap' } }),
      ]),
    );
    const { session, deltas } = sessionWith([server]);
    await session.ready(2000);
    const pen = session.rows('Item').get(PEN);
    deltas.length = 0;
    const sizes: number[] = [];
    session.onDelta(() => sizes.push(session.rows('Item').size));
    (await server.peer(0)).socket.destroy();
    await server.peer(1);
    await session.ready(2000);
    while (session.state !== 'ready' || deltas.length === 0) await session.ready(2000);
    expect(told(deltas)).toEqual([
      ['modify', PEN, { tags: { kind: 'set', added: ['c'], removed: ['a'] } }],
      ['insert', uuid(3), 'cap'],
      ['delete', INK, 'ink'],
    ]);
    expect(session.rows('Item').get(PEN)).toBe(pen);
    expect(sizes).toEqual([2]);
  });

  it('an unchanged database tells nothing', async () => {
    const server = await serverWith(shop({ [PEN]: { name: 'pen', notes: ['map', [['k', 'v']]] } }));
    const { session, deltas, states, until } = sessionWith([server]);
    await session.ready(2000);
    const { schema } = session;
    (await server.peer(0)).socket.destroy();
    await until(() => states.length === 3);
    expect(told(deltas)).toEqual([['insert', PEN, 'pen']]);
    expect(session.schema).toBe(schema);
  });

  it('another schema is read, and everything asked for anew', async () => {
    const wider = structuredClone(SHOP_SCHEMA);
    Object.assign(wider.tables.Item.columns, { colour: { type: 'string' } });
    Reflect.deleteProperty(wider.tables.Item.columns, 'notes');
    let schemas = 0;
    const since: unknown[] = [];
    const server = await serverWith(
      shopBy(
        [
          () => dumpOf({ [PEN]: { name: 'pen' } }, transaction(5)),
          id => {
            since.push(id);
            return dumpOf({ [PEN]: { name: 'pen', colour: 'red' } });
          },
        ],
        { get_schema: () => (schemas++ === 0 ? SHOP_SCHEMA : wider) },
      ),
    );
    const { session, deltas, states, until } = sessionWith([server], {
      tables: { Item: ['name', 'notes', 'colour'] },
    });
    await session.ready(2000);
    expect(session.schema?.hasColumn('Item', 'colour')).toBe(false);
    (await server.peer(0)).socket.destroy();
    await until(() => states.length === 3);
    expect(since).toEqual([NONE]);
    expect(session.schema?.hasColumn('Item', 'colour')).toBe(true);
    expect(session.rows('Item').get(PEN)?.columns).toEqual({ name: 'pen', colour: 'red' });
    expect(told(deltas).at(-1)).toEqual([
      'modify',
      PEN,
      {
        notes: { kind: 'scalar', old: EMPTY_MAP, new: undefined },
        colour: { kind: 'scalar', old: undefined, new: 'red' },
      },
    ]);
  });

  it('a canceled monitor is asked for anew', async () => {
    const server = await serverWith(shop({}));
    const { session, states, until } = sessionWith([server]);
    await session.ready(2000);
    (await server.peer(0)).notify('monitor_canceled', 'rows');
    await until(() => states.length === 3);
    expect(server.peers).toHaveLength(2);
  });

  it('a server that drops us as soon as we are ready, each time, is not hurried', async () => {
    const server = await serverWith(
      shop(
        {},
        {
          monitor_cond_since: (_, peer) => {
            setImmediate(() => peer.notify('hello'));
            return dumpOf({});
          },
        },
      ),
    );
    const started = performance.now();
    const { states, until } = sessionWith([server], { backoff: { minMs: 150, maxMs: 150 } });
    await until(() => states.filter(state => state === 'ready').length === 4);
    expect(performance.now() - started).toBeGreaterThan(3 * 75);
  });
});

describe('updates', () => {
  it.each(['modify', 'delete'])('an inconsistent %s drops the session and reloads everything', async kind => {
    const since: unknown[] = [];
    const server = await serverWith(
      shopBy([
        () => dumpOf({ [PEN]: { name: 'pen' } }, transaction(5)),
        id => {
          since.push(id);
          return dumpOf({ [PEN]: { name: 'pen' }, [INK]: { name: 'ink' } });
        },
      ]),
    );
    const { session, deltas, states, until } = sessionWith([server]);
    const causes: (Error | undefined)[] = [];
    session.onState((_, cause) => causes.push(cause));
    await session.ready(2000);
    const update = { [PEN]: { modify: { price: 1 } }, [uuid(99)]: { [kind]: kind === 'modify' ? {} : null } };
    (await server.peer(0)).notify('update3', 'rows', transaction(6), { Item: update });
    await until(() => states.length === 3);
    expect(since).toEqual([NONE]);
    expect(causes[1]).toBeInstanceOf(InconsistentUpdateError);
    expect(causes[1]?.message).toContain(`Item ${uuid(99)}:`);
    expect(told(deltas)).toEqual([
      ['insert', PEN, 'pen'],
      ['insert', INK, 'ink'],
    ]);
  });

  it('an inconsistent resumption reloads everything', async () => {
    const since: unknown[] = [];
    const record = (answer: unknown) => (id: unknown) => {
      since.push(id);
      return answer;
    };
    const server = await serverWith(
      shopBy([
        record(dumpOf({ [PEN]: { name: 'pen' } }, transaction(5))),
        record([true, transaction(6), { Item: { [INK]: { delete: null } } }]),
        record(dumpOf({ [PEN]: { name: 'pen' } })),
      ]),
    );
    const { session, deltas, states, until } = sessionWith([server]);
    await session.ready(2000);
    (await server.peer(0)).socket.destroy();
    await until(() => states.length === 3);
    expect(since).toEqual([NONE, transaction(5), NONE]);
    expect(deltas).toHaveLength(1);
  });

  it('in the same packet as the dump come after it', async () => {
    const server = await serverWith(
      shop(
        {},
        {
          monitor_cond_since: (_, peer) => {
            const { id } = peer.received.at(-1) ?? {};
            const answer = { id, result: dumpOf({ [PEN]: { name: 'pen' } }), error: null };
            const update = ['rows', transaction(2), { Item: { [PEN]: { modify: { name: 'ink' } } } }];
            peer.raw(
              JSON.stringify(answer) + JSON.stringify({ id: null, method: 'update3', params: update }),
            );
          },
        },
      ),
    );
    const { session, deltas, until } = sessionWith([server]);
    await until(() => deltas.length === 2);
    expect(deltas.map(delta => delta.kind)).toEqual(['insert', 'modify']);
    expect(session.rows('Item').get(PEN)?.columns.name).toBe('ink');
  });
});

describe('the leader', () => {
  const member = (leader: boolean) => ({
    monitor_cond: () => ({
      Database: { [uuid(9)]: { initial: serverRow({ model: 'clustered', leader }) } },
    }),
  });

  it('is found among the members of a cluster', async () => {
    const follower = await serverWith(shop({}, member(false)));
    const leader = await serverWith(shop({ [PEN]: { name: 'pen' } }, member(true)));
    const { session } = sessionWith([follower, leader], { leaderOnly: true });
    await session.ready(2000);
    expect(follower.peers[0]?.requests('get_schema')).toEqual([]);
    expect(leader.peers[0]?.requests('get_schema')).toEqual([['Shop']]);
  });

  it('is not asked for where any member will do', async () => {
    const follower = await serverWith(shop({}, member(false)));
    await sessionWith([follower]).session.ready(2000);
  });

  it.each(['standalone', 'relay'])('does not exist in a %s database', async model => {
    const monitor_cond = () => ({
      Database: { [uuid(9)]: { initial: serverRow({ model, leader: false }) } },
    });
    const server = await serverWith(shop({}, { monitor_cond }));
    await sessionWith([server], { leaderOnly: true }).session.ready(2000);
  });

  it('changes: the next server goes on from the last transaction', async () => {
    const since: unknown[] = [];
    const first = await serverWith(shop({ [PEN]: { name: 'pen' } }, member(true)));
    const second = await serverWith(
      shop(
        {},
        {
          ...member(true),
          monitor_cond_since: params => {
            since.push(params[3]);
            return [true, transaction(1), { Item: {} }];
          },
        },
      ),
    );
    const { session, deltas, states, until } = sessionWith([first, second], { leaderOnly: true });
    const causes: string[] = [];
    session.onState((_, cause) => causes.push(cause?.message ?? ''));
    await session.ready(2000);
    first.peers[0]?.notify('update2', 'server', { Database: { [uuid(9)]: { modify: { leader: false } } } });
    await until(() => states.length === 3);
    expect(states).toEqual(['ready', 'connecting', 'ready']);
    expect(causes[1]).toBe(`unix:${first.endpoint.path}: is not the leader of Shop`);
    expect(since).toEqual([transaction(1)]);
    expect(told(deltas)).toEqual([['insert', PEN, 'pen']]);
  });

  it('is waited for while the members elect one', async () => {
    let asked = 0;
    const server = await serverWith(shop({}, { monitor_cond: () => member(++asked > 3).monitor_cond() }));
    await sessionWith([server], { leaderOnly: true }).session.ready(2000);
    expect(asked).toBe(4);
  });
});
