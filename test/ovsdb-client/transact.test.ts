import { describe, expect, it } from '@jest/globals';
import {
  insert,
  NotConnectedError,
  OperationError,
  ProtocolError,
  ValueError,
} from '../../src/ovsdb-client/index.ts';
import { type Handlers, Refusal, shop, transaction, uuid } from '../support/scripted-ovsdb-server.ts';
import { serverWith, sessionWith } from '../support/scripted-session.ts';
import { rejection } from '../support/watched-session.ts';

const OPERATION = insert('Item', { name: 'pen' });

async function readySession(overrides: Handlers, options = {}) {
  const server = await serverWith(shop({}, overrides));
  const watched = sessionWith([server], options);
  await watched.session.ready(2000);
  return { ...watched, peer: await server.peer(0) };
}

describe('a transaction', () => {
  it('names the database and gives the results', async () => {
    const { session, peer } = await readySession({ transact: () => [{ uuid: ['uuid', uuid(1)] }] });
    expect(await session.transact([OPERATION])).toEqual([{ uuid: uuid(1) }]);
    expect(peer.requests('transact')).toEqual([['Shop', OPERATION]]);
  });

  it('may have no operations', async () => {
    const { session } = await readySession({});
    expect(await session.transact([])).toEqual([]);
  });

  it('that fails rejects, and the session goes on', async () => {
    const answers = [[{ error: 'duplicate uuid', details: 'x' }], [{ count: 1 }]];
    const { session } = await readySession({ transact: () => answers.shift() });
    expect(await rejection(session.transact([OPERATION]))).toMatchObject({
      code: 'duplicate uuid',
      operationIndex: 0,
    });
    expect(await session.transact([OPERATION])).toEqual([{ count: 1 }]);
  });

  it('that is refused whole rejects with the error of the server', async () => {
    const refuse = () => {
      throw new Refusal({ error: 'not allowed', details: 'read-only' });
    };
    const { session } = await readySession({ transact: refuse });
    const error = await rejection(session.transact([OPERATION]));
    expect(error).toBeInstanceOf(OperationError);
    expect(error).toMatchObject({ code: 'not allowed', operationIndex: undefined });
  });

  it.each(['before', 'after'])('may be answered %s its update', async order => {
    const { session, deltas, until } = await readySession({
      transact: (_, peer) => {
        const { id } = peer.received.at(-1) ?? {};
        const update = () =>
          peer.notify('update3', 'rows', transaction(2), {
            Item: { [uuid(1)]: { insert: { name: 'pen' } } },
          });
        if (order === 'after') update();
        peer.send({ id, result: [{ uuid: ['uuid', uuid(1)] }], error: null });
        if (order === 'before') update();
      },
    });
    expect(await session.transact([OPERATION])).toEqual([{ uuid: uuid(1) }]);
    await until(() => deltas.length === 1);
    expect(session.rows('Item').has(uuid(1))).toBe(true);
  });

  it('whose answer is lost may have been applied', async () => {
    const { session } = await readySession({ transact: (_, peer) => void peer.socket.destroy() });
    const error = await rejection(session.transact([OPERATION]));
    expect(error).toBeInstanceOf(NotConnectedError);
    expect(error).toMatchObject({ maybeApplied: true, code: 'ERR_OVSDB_NOT_CONNECTED' });
    await session.ready(2000);
  });

  it('that is never answered may have been applied, and ends the connection', async () => {
    const { session, states, until } = await readySession(
      { transact: () => undefined },
      { requestTimeoutMs: 30 },
    );
    const error = await rejection(session.transact([OPERATION]));
    expect(error).toMatchObject({ maybeApplied: true });
    expect(error.message).toMatch(/^not connected: unix:.*: does not answer$/);
    await until(() => states.length === 3);
  });

  it('that is lost leaves no session that is ready and cannot be used', async () => {
    const { session } = await readySession({ transact: (_, peer) => void peer.raw('?') });
    await rejection(session.transact([OPERATION]));
    expect(session.state).toBe('connecting');
  });

  it('that was never sent was not applied', async () => {
    const server = await serverWith({ list_dbs: () => undefined });
    const { session } = sessionWith([server]);
    expect(await rejection(session.transact([OPERATION]))).toMatchObject({ maybeApplied: false });
    await session.close();
    const error = await rejection(session.transact([OPERATION]));
    expect(error).toMatchObject({ maybeApplied: false });
    expect(error.message).toBe('not connected: the session with Shop is closed');
  });

  it('with nonsense for an answer ends the connection', async () => {
    const { session, states, until } = await readySession({ transact: () => ({}) });
    expect(await rejection(session.transact([OPERATION]))).toBeInstanceOf(ProtocolError);
    await until(() => states.length === 3);
  });

  it.each(['\0', 'a\\\0', '\ud800', '\udfff', '\\\udc00'])(
    'with text that no server reads (%j) is not sent',
    async text => {
      const { session, peer } = await readySession({});
      expect(await rejection(session.transact([insert('Item', { name: text })]))).toBeInstanceOf(ValueError);
      expect(peer.requests('transact')).toEqual([]);
    },
  );

  it.each(['\\u0000', '\\\\u0000', '\\ud800', '𝄞', '\\'])(
    'with text that only looks so (%j) is sent',
    async text => {
      const { session, peer } = await readySession({});
      await session.transact([insert('Item', { name: text })]);
      expect(peer.requests('transact')).toEqual([['Shop', insert('Item', { name: text })]]);
    },
  );

  it('and all that waits is rejected when the session is closed', async () => {
    const { session, peer } = await readySession({ transact: () => undefined });
    const waiting = rejection(session.transact([OPERATION]));
    const closing = Promise.all([session.close(), session.close()]);
    expect(await waiting).toMatchObject({ maybeApplied: true });
    await closing;
    await peer.closed;
    expect(session.state).toBe('closed');
  });
});
