import { describe, expect, it } from '@jest/globals';
import { OperationError, TimeoutError } from '../../src/ovsdb-client/index.ts';
import { type Handlers, Refusal, shop } from '../support/scripted-ovsdb-server.ts';
import { serverWith, sessionWith } from '../support/scripted-session.ts';
import { rejection } from '../support/watched-session.ts';

async function readySession(overrides: Handlers) {
  const server = await serverWith(shop({}, overrides));
  const watched = sessionWith([server]);
  await watched.session.ready(2000);
  return { ...watched, server, peer: await server.peer(0) };
}

describe('a lock', () => {
  it('that is free is got at once', async () => {
    const { session, peer } = await readySession({});
    const lock = session.lock('till');
    await lock.acquired(2000);
    expect(lock.held).toBe(true);
    expect(peer.requests('lock')).toEqual([['till']]);
    expect(session.lock('till')).toBe(lock);
    expect(peer.requests('lock')).toHaveLength(1);
  });

  it('that another holds is waited for, and may be stolen', async () => {
    const { session, peer } = await readySession({ lock: () => ({ locked: false }) });
    const lock = session.lock('till');
    const changes: boolean[] = [];
    lock.onChange(held => changes.push(held));
    const error = await rejection(lock.acquired(20));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toBe('lock till: held by another for 20 ms');
    peer.notify('locked', 'till');
    await lock.acquired(2000);
    peer.notify('stolen', 'till');
    await new Promise<void>(resolve => lock.onChange(() => resolve()));
    expect([lock.held, changes]).toEqual([false, [true, false]]);
  });

  it('is asked for before the session is ready, and again after each reconnect', async () => {
    const server = await serverWith(shop({}));
    const { session, states, until } = sessionWith([server]);
    const lock = session.lock('till');
    const changes: boolean[] = [];
    lock.onChange(held => changes.push(held));
    await lock.acquired(2000);
    (await server.peer(0)).socket.destroy();
    await until(() => states.length === 3);
    await lock.acquired(2000);
    expect(changes).toEqual([true, false, true]);
    expect(server.peers.map(peer => peer.requests('lock'))).toEqual([[['till']], [['till']]]);
  });

  it('is lost before the session says so', async () => {
    const { session, peer } = await readySession({});
    const lock = session.lock('till');
    await lock.acquired(2000);
    const held = new Promise(resolve => session.onState(() => resolve(lock.held)));
    peer.socket.destroy();
    expect(await held).toBe(false);
  });

  it('is given back, and not asked for again', async () => {
    const { session, server, peer, states, until } = await readySession({});
    const lock = session.lock('till');
    await lock.acquired(2000);
    await lock.release();
    expect([lock.held, peer.requests('unlock')]).toEqual([false, [['till']]]);
    peer.socket.destroy();
    await until(() => states.length === 3);
    expect(server.peers[1]?.requests('lock')).toEqual([]);
    await session.lock('till').acquired(2000);
  });

  it('may be given back without a connection', async () => {
    const server = await serverWith({ list_dbs: () => undefined });
    const { session } = sessionWith([server]);
    const lock = session.lock('till');
    const waiting = rejection(lock.acquired(2000));
    await lock.release();
    expect((await waiting).message).toBe('lock till: released');
  });

  it('that the server refuses rejects', async () => {
    const refuse = () => {
      throw new Refusal({ error: 'syntax error', details: 'bad name' });
    };
    const { session } = await readySession({ lock: refuse });
    const error = await rejection(session.lock('not an id').acquired(2000));
    expect(error).toBeInstanceOf(OperationError);
  });

  it('rejects when the session is closed', async () => {
    const { session } = await readySession({ lock: () => ({ locked: false }) });
    const waiting = rejection(session.lock('till').acquired(2000));
    await session.close();
    expect((await waiting).message).toBe('the session with Shop is closed');
  });
});
