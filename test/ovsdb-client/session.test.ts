import { afterEach, describe, expect, it } from '@jest/globals';
import { type RowDelta, Session, type SessionOptions } from '../../src/ovsdb-client/index.ts';
import {
  type Handlers,
  type Peer,
  ScriptedServer,
  SHOP_TABLES,
  shop,
  uuid,
} from '../support/scripted-ovsdb-server.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serverWith(
  handlers: Handlers,
  onPeer?: (peer: Peer, index: number) => void,
): Promise<ScriptedServer> {
  const server = await ScriptedServer.listen(handlers, onPeer);
  cleanups.push(() => server.close());
  return server;
}

function sessionWith(servers: readonly ScriptedServer[], options: Partial<SessionOptions> = {}) {
  const session = new Session({
    remotes: servers.map(server => server.endpoint),
    database: 'Shop',
    tables: SHOP_TABLES,
    backoff: { minMs: 1, maxMs: 5 },
    ...options,
  });
  const deltas: RowDelta[] = [];
  session.onDelta(batch => deltas.push(...batch));
  cleanups.push(() => session.close());
  session.start();
  return { session, deltas };
}

describe('a session', () => {
  it('becomes ready with the rows of the dump, told as inserts', async () => {
    const server = await serverWith(shop({ [uuid(1)]: { name: 'pen', tags: ['set', ['blue', 'ink']] } }));
    const { session, deltas } = sessionWith([server]);
    await session.ready(2000);
    const columns = { name: 'pen', price: undefined, tags: new Set(['blue', 'ink']), notes: new Map() };
    expect([...session.rows('Item').values()]).toEqual([{ uuid: uuid(1), columns }]);
    expect(deltas).toEqual([{ kind: 'insert', table: 'Item', row: { uuid: uuid(1), columns } }]);
    expect(session.schema?.hasColumn('Item', 'price')).toBe(true);
  });
});
