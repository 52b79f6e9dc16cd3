import { afterEach } from '@jest/globals';
import {
  type RowDelta,
  Session,
  type SessionOptions,
  type SessionState,
} from '../../src/ovsdb-client/index.ts';
import { type Handlers, type Peer, ScriptedServer, SHOP_TABLES } from './scripted-ovsdb-server.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A scripted server that is closed after the test. */
export async function serverWith(
  handlers: Handlers,
  onPeer?: (peer: Peer, index: number) => void,
): Promise<ScriptedServer> {
  const server = await ScriptedServer.listen(handlers, onPeer);
  cleanups.push(() => server.close());
  return server;
}

/** A session, started, with everything that it told; closed after the test. */
export interface Watched {
  readonly session: Session;
  readonly deltas: RowDelta[];
  readonly states: SessionState[];
  /** Resolves once `condition` holds, which is asked after every delta and every state. */
  until(condition: () => boolean): Promise<void>;
}

export function sessionWith(
  servers: readonly ScriptedServer[],
  options: Partial<SessionOptions> = {},
): Watched {
  const session = new Session({
    remotes: servers.map(server => server.endpoint),
    database: 'Shop',
    tables: SHOP_TABLES,
    backoff: { minMs: 1, maxMs: 4 },
    ...options,
  });
  const deltas: RowDelta[] = [];
  const states: SessionState[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of [...waiting]) check();
  };
  session.onDelta(batch => {
    deltas.push(...batch);
    wake();
  });
  session.onState(state => {
    states.push(state);
    wake();
  });
  cleanups.push(() => session.close());
  session.start();
  const until = (condition: () => boolean) =>
    new Promise<void>(resolve => {
      const check = () => {
        if (!condition()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { session, deltas, states, until };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('it did not reject');
}
