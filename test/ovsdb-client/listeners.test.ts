import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { DiagnosticEvent } from '../../src/ovsdb-client/index.ts';
import { shop, transaction, uuid } from '../support/scripted-ovsdb-server.ts';
import { serverWith, sessionWith } from '../support/scripted-session.ts';

const events: DiagnosticEvent[] = [];
const record = (event: unknown) => void events.push(event as DiagnosticEvent);

afterEach(() => {
  unsubscribe('kube-northbound:ovsdb', record);
  events.length = 0;
});

describe('a listener that throws', () => {
  it('harms nobody, and is reported', async () => {
    subscribe('kube-northbound:ovsdb', record);
    const server = await serverWith(shop({ [uuid(1)]: { name: 'pen' } }));
    const { session, deltas, states, until } = sessionWith([server]);
    const fault = new Error('mine');
    const stop = session.onDelta(() => {
      throw fault;
    });
    const later: number[] = [];
    session.onDelta(batch => later.push(batch.length));
    await session.ready(2000);
    const update = (n: number) => ({ Item: { [uuid(n)]: { insert: {} } } });
    const peer = await server.peer(0);
    peer.notify('update3', 'rows', transaction(2), update(2));
    await until(() => deltas.length === 2);
    stop();
    peer.notify('update3', 'rows', transaction(3), update(3));
    await until(() => deltas.length === 3);
    expect([later, states]).toEqual([[1, 1, 1], ['ready']]);
    expect(events.filter(event => event.kind === 'listener-threw').map(event => event.cause)).toEqual([
      fault,
      fault,
    ]);
  });

  it('becomes a warning where nobody subscribes', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const server = await serverWith(shop({}));
    const { session } = sessionWith([server]);
    session.onState(() => {
      throw new Error('nobody hears me');
    });
    await session.ready(2000);
    const [[warning] = []] = warn.mock.calls;
    expect(warning).toMatch(/^a listener of the OVSDB session threw: Error: nobody hears me\n/);
    await session.close();
    warn.mockRestore();
  });

  it('may close the session', async () => {
    const server = await serverWith(shop({ [uuid(1)]: {} }));
    const { session, states, until } = sessionWith([server]);
    const closed = new Promise<void>((resolve, reject) => {
      session.onDelta(() => void session.close().then(resolve, reject));
    });
    await until(() => states.length > 0);
    await closed;
    expect([states, session.state]).toEqual([['closed'], 'closed']);
  });
});

describe('diagnostics', () => {
  it('tell states and failed attempts', async () => {
    subscribe('kube-northbound:ovsdb', record);
    let attempts = 0;
    const server = await serverWith(shop({}), peer => {
      if (attempts++ === 0) peer.socket.destroy();
    });
    const { session } = sessionWith([server]);
    await session.ready(2000);
    expect(events.map(event => event.kind)).toEqual(['attempt-failed', 'state']);
  });
});
