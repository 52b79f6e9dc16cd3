import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import {
  ConnectionError,
  type DiagnosticEvent,
  EndpointError,
  ProtocolError,
  Session,
  TimeoutError,
  WrongDatabaseError,
} from '../../src/ovsdb-client/index.ts';
import {
  type Handlers,
  Refusal,
  SHOP_SCHEMA,
  SHOP_TABLES,
  serverRow,
  shop,
  transaction,
  uuid,
} from '../support/scripted-ovsdb-server.ts';
import { serverWith, sessionWith } from '../support/scripted-session.ts';
import { rejection } from '../support/watched-session.ts';

const PEN = { name: 'pen', tags: ['set', ['blue', 'ink']] };
const PEN_ROW = {
  uuid: uuid(1),
  columns: { name: 'pen', price: undefined, tags: new Set(['blue', 'ink']), notes: new Map() },
};

/** Resolves after so many failed attempts from now on. */
function failures(count: number): Promise<void> {
  return new Promise(resolve => {
    let left = count;
    const onEvent = (event: unknown) => {
      if ((event as DiagnosticEvent).kind !== 'attempt-failed' || --left > 0) return;
      unsubscribe('kube-northbound:ovsdb', onEvent);
      resolve();
    };
    subscribe('kube-northbound:ovsdb', onEvent);
  });
}

/** What ready() rejects with for one server that does this. */
async function failure(handlers: Handlers, options = {}): Promise<Error> {
  const server = await serverWith(handlers);
  const failed = failures(1);
  const { session } = sessionWith([server], options);
  await failed;
  return rejection(session.ready(0));
}

describe('the handshake', () => {
  it('ends ready, with the rows of the dump, told as inserts before the state', async () => {
    const server = await serverWith(shop({ [uuid(1)]: PEN }));
    const { session, deltas, states } = sessionWith([server]);
    const statesOfDeltas: string[] = [];
    session.onDelta(() => statesOfDeltas.push(session.state));
    await session.ready(2000);
    expect(statesOfDeltas).toEqual(['connecting']);
    expect([...session.rows('Item').values()]).toEqual([PEN_ROW]);
    expect(deltas).toEqual([{ kind: 'insert', table: 'Item', row: PEN_ROW }]);
    expect(states).toEqual(['ready']);
    expect(session.schema?.hasColumn('Item', 'price')).toBe(true);
  });

  it('asks for one monitor over all tables and columns that the schema has', async () => {
    const server = await serverWith(shop({}));
    const { session } = sessionWith([server], {
      tables: { Item: ['name', 'tags', 'colour'], Shelf: ['name'] },
    });
    await session.ready(2000);
    expect(server.peers[0]?.requests('monitor_cond_since')).toEqual([
      ['Shop', 'rows', { Item: [{ columns: ['name', 'tags'] }] }, uuid(0).replace('4000-8', '0000-0')],
    ]);
    expect(session.schema?.hasColumn('Item', 'colour')).toBe(false);
    expect(session.rows('Shelf').size).toBe(0);
  });

  it('may be cut after any byte: nothing is told before it is complete', async () => {
    const small = { name: 'Shop', version: '1', tables: { Item: { columns: { name: { type: 'string' } } } } };
    const handlers = shop({ [uuid(1)]: { name: 'pen' } }, { get_schema: () => small });
    const whole = await serverWith(handlers);
    await sessionWith([whole]).session.ready(2000);
    const total = whole.peers[0]?.bytesSent ?? 0;
    expect(total).toBeGreaterThan(300);
    const server = await serverWith(handlers, (peer, index) => {
      peer.cutAfter = index < total ? index : Number.POSITIVE_INFINITY;
      if (index === 0) peer.socket.end();
    });
    const { session, deltas, states } = sessionWith([server], { backoff: { minMs: 0, maxMs: 0 } });
    await session.ready(20_000);
    expect(server.peers.length).toBe(total + 1);
    const row = { uuid: uuid(1), columns: { name: 'pen' } };
    expect(deltas).toEqual([{ kind: 'insert', table: 'Item', row }]);
    expect(states).toEqual(['ready']);
  }, 20_000);

  it('does without _Server where there is none', async () => {
    const server = await serverWith(shop({ [uuid(1)]: PEN }, { list_dbs: () => ['Shop'] }));
    const { session } = sessionWith([server]);
    await session.ready(2000);
    expect(server.peers[0]?.requests('monitor_cond')).toEqual([]);
  });

  it.each([
    [
      'monitor_cond',
      { monitor_cond: () => ({ Item: { [uuid(1)]: { initial: PEN } } }) },
      'update2',
      { insert: {} },
    ],
    [
      'monitor',
      {
        monitor: () => ({ Item: { [uuid(1)]: { new: { ...PEN, price: ['set', []], notes: ['map', []] } } } }),
      },
      'update',
      { new: { name: '', price: 1, tags: 'a', notes: ['map', []] } },
    ],
  ])('falls back to %s for old servers, and follows its updates', async (_, handlers, update, row) => {
    const { list_dbs, get_schema } = shop({}, { list_dbs: () => ['Shop'] });
    const server = await serverWith({
      ...(list_dbs ? { list_dbs } : {}),
      ...(get_schema ? { get_schema } : {}),
      ...handlers,
    });
    const { session, deltas, until } = sessionWith([server]);
    await session.ready(2000);
    expect([...session.rows('Item').values()]).toEqual([PEN_ROW]);
    server.peers[0]?.notify(update, 'rows', { Item: { [uuid(2)]: row } });
    await until(() => deltas.length === 2);
    expect(session.rows('Item').size).toBe(2);
  });
});

describe('a server that cannot be used', () => {
  const { get_schema = () => undefined } = shop({});

  it('is not there', async () => {
    const session = new Session({
      remotes: [{ kind: 'unix', path: '/nowhere/db.sock' }],
      database: 'Shop',
      tables: SHOP_TABLES,
      backoff: { minMs: 1, maxMs: 2 },
    });
    const failed = failures(1);
    session.start();
    await failed;
    const error = await rejection(session.ready(0));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toBe('unix:/nowhere/db.sock: connect ENOENT /nowhere/db.sock');
    expect(session.state).toBe('connecting');
    await session.close();
  });

  it('is silent', async () => {
    const error = await failure({ list_dbs: () => undefined }, { requestTimeoutMs: 20 });
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toMatch(/^unix:.*: does not answer$/);
  });

  it.each<[string, Handlers, string]>([
    ['no JSON', { list_dbs: (_, peer) => peer.raw('HTTP/1.1 400') }, 'must begin with "{"'],
    ['half JSON', { list_dbs: (_, peer) => peer.raw('{"a":}') }, 'not JSON: "{\\"a\\":}"'],
    [
      'deep nesting',
      { list_dbs: (_, peer) => peer.raw(`{"a":${'['.repeat(100)}`) },
      'nested deeper than 64 levels',
    ],
    ['a giant', { list_dbs: (_, peer) => peer.raw(`{"a":"${'x'.repeat(5000)}`) }, 'longer than 4096 bytes'],
    [
      'countless lists',
      { list_dbs: (_, peer) => peer.raw(`{"a":[${'[],'.repeat(1000)}`) },
      'more than 256 objects and lists',
    ],
    [
      'an answer to nobody',
      { list_dbs: (_, peer) => peer.send({ id: 77, result: [], error: null }) },
      '(id 77)',
    ],
    ['an answer without id', { list_dbs: (_, peer) => peer.send({ result: [] }) }, 'an answer to no request'],
    ['a strange notification', { list_dbs: (_, peer) => peer.notify('hello') }, 'notification hello'],
    [
      'bad parameters',
      { list_dbs: (_, peer) => peer.send({ id: null, method: 'x' }) },
      'no list of parameters',
    ],
    ['a bad list', shop({}, { list_dbs: () => [7] }), 'must be a list of names'],
    ['a bad schema', shop({}, { get_schema: () => ({}) }), 'schema: name: must be text'],
    ['a bad monitor', shop({}, { monitor_cond_since: () => ({}) }), 'must be [found, transaction, updates]'],
    [
      'an update of rows that were not told yet',
      shop(
        {},
        {
          monitor_cond_since: (_, peer) =>
            peer.notify('update3', 'rows', transaction(2), { Item: { [uuid(1)]: { insert: {} } } }),
        },
      ),
      'update3 before the answer to the monitor request',
    ],
    ['a bad row', shop({ [uuid(1)]: { name: 7 } }), 'column name must be string, not 7'],
    [
      'a bad error',
      shop(
        {},
        {
          get_schema: () => {
            throw new Refusal({});
          },
        },
      ),
      'must have the text member "error"',
    ],
  ])('answers nonsense: %s', async (_, handlers, message) => {
    const error = await failure(handlers, { maxMessageBytes: 4096 });
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error.message).toMatch(/^unix:.*: answers nonsense: /);
    expect(error.message).toContain(message);
  });

  it('refuses a request', async () => {
    const refuse = () => {
      throw new Refusal({ error: 'permission error', details: 'not you' });
    };
    const error = await failure(shop({}, { get_schema: refuse }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/^unix:.*: permission error: not you$/);
  });

  it('has no contact to its cluster', async () => {
    const row = serverRow({ model: 'clustered', connected: false });
    const error = await failure(
      shop({}, { monitor_cond: () => ({ Database: { [uuid(9)]: { initial: row } } }) }),
    );
    expect(error.message).toMatch(/: Shop has no contact to its clustered source$/);
  });

  it('is named with all others', async () => {
    const silent = await serverWith({ list_dbs: () => undefined });
    const mad = await serverWith({ list_dbs: (_, peer) => peer.raw('?') });
    const failed = failures(2);
    const { session } = sessionWith([silent, mad], { requestTimeoutMs: 20 });
    await failed;
    const error = await rejection(session.ready(0));
    expect(error.message).toContain(`unix:${silent.endpoint.path}: does not answer`);
    expect(error.message).toContain(`unix:${mad.endpoint.path}: answers nonsense`);
  });

  it('does not keep another from being used', async () => {
    const silent = await serverWith({ list_dbs: () => undefined });
    const good = await serverWith(shop({ [uuid(1)]: PEN }));
    const { session } = sessionWith([silent, good], { requestTimeoutMs: 20 });
    await session.ready(2000);
    expect(session.rows('Item').size).toBe(1);
  });

  it('answers later: it is tried for ever', async () => {
    let attempts = 0;
    const server = await serverWith(
      shop(
        {},
        {
          get_schema: (params, peer) =>
            ++attempts < 5 ? peer.socket.destroy() && undefined : get_schema(params, peer),
        },
      ),
    );
    await sessionWith([server]).session.ready(2000);
    expect(attempts).toBe(5);
  });
});

describe('a wrong database', () => {
  const wrong = shop({}, { list_dbs: () => ['Farm', 'Barn'] });

  it('is final, and named', async () => {
    const server = await serverWith(wrong);
    const { session, states } = sessionWith([server]);
    const error = await rejection(session.ready(2000));
    expect(error).toBeInstanceOf(WrongDatabaseError);
    expect(error.message).toBe(`unix:${server.endpoint.path}: has no database Shop (it has: Farm, Barn)`);
    expect([session.state, states]).toEqual(['failed', ['failed']]);
    expect(await rejection(session.ready(2000))).toBe(error);
    await session.close();
    expect(session.state).toBe('closed');
  });

  it('is known by _Server too', async () => {
    const rows = {
      [uuid(1)]: { initial: serverRow({ name: 'Farm' }) },
      [uuid(2)]: { initial: serverRow({ name: '_Server' }) },
    };
    const server = await serverWith(shop({}, { monitor_cond: () => ({ Database: rows }) }));
    const error = await rejection(sessionWith([server]).session.ready(2000));
    expect(error.message).toMatch(/has no database Shop \(it has: Farm\)$/);
  });

  it('is not final while another server may have it', async () => {
    const bad = await serverWith(wrong);
    const good = await serverWith(shop({}));
    const { session, states } = sessionWith([bad, good]);
    await session.ready(2000);
    expect(states).toEqual(['ready']);
  });

  it('is final where the others are not there', async () => {
    const bad = await serverWith(wrong);
    const gone = await serverWith({});
    await gone.close();
    const { session } = sessionWith([gone, bad]);
    expect(await rejection(session.ready(2000))).toBeInstanceOf(WrongDatabaseError);
  });
});

describe('a session that makes no sense', () => {
  it('has no server, or a secured one and no certificates', () => {
    const options = { database: 'Shop', tables: SHOP_TABLES };
    expect(() => new Session({ ...options, remotes: [] })).toThrow(EndpointError);
    const remotes = [{ kind: 'ssl', host: 'a', port: 1 }] as const;
    expect(() => new Session({ ...options, remotes })).toThrow('ssl:a:1 needs a private key');
  });
});

it('the schema of the shop is a schema', () => {
  expect(Object.keys(SHOP_SCHEMA.tables.Item.columns)).toEqual(SHOP_TABLES.Item);
});
