import { Session, type SessionOptions } from '../../src/ovsdb-client/index.ts';
import { type Handlers, type Peer, ScriptedServer, SHOP_TABLES } from './scripted-ovsdb-server.ts';
import { afterTest, type Watched, watch } from './watched-session.ts';

/** A scripted server that is closed after the test. */
export async function serverWith(
  handlers: Handlers,
  onPeer?: (peer: Peer, index: number) => void,
): Promise<ScriptedServer> {
  const server = await ScriptedServer.listen(handlers, onPeer);
  afterTest(() => server.close());
  return server;
}

/** A session with these servers, started; closed after the test. */
export function sessionWith(
  servers: readonly ScriptedServer[],
  options: Partial<SessionOptions> = {},
): Watched {
  return watch(
    new Session({
      remotes: servers.map(server => server.endpoint),
      database: 'Shop',
      tables: SHOP_TABLES,
      backoff: { minMs: 1, maxMs: 4 },
      ...options,
    }),
  );
}
