import { describe, expect, it } from '@jest/globals';
import { shop, transaction, uuid } from '../support/scripted-ovsdb-server.ts';
import { serverWith, sessionWith } from '../support/scripted-session.ts';

describe('echo', () => {
  it('is answered with its parameters, before any message of the same packet is carried out', async () => {
    const server = await serverWith(shop({}));
    const { session, deltas, until } = sessionWith([server]);
    await session.ready(2000);
    const peer = await server.peer(0);
    const sent: number[] = [];
    session.onDelta(() => {
      sent.push(peer.received.length);
      session.transact([]).catch(() => {});
    });
    const update = ['rows', transaction(2), { Item: { [uuid(1)]: { insert: {} } } }];
    peer.raw(
      JSON.stringify({ id: null, method: 'update3', params: update }) +
        JSON.stringify({ id: 'echo', method: 'echo', params: ['x'] }),
    );
    await until(() => deltas.length === 1);
    await session.transact([]);
    const last = peer.received.slice(-3);
    expect(last[0]).toEqual({ id: 'echo', result: ['x'], error: null });
    expect(last.slice(1).map(message => message.method)).toEqual(['transact', 'transact']);
  });

  it.each(['echo', 'what?'])(
    '%s asked for without end, by a server that never reads, is not hoarded',
    async method => {
      const server = await serverWith(shop({}));
      const { session, states, until } = sessionWith([server], { probeIntervalMs: 150 });
      await session.ready(2000);
      const { socket } = await server.peer(0);
      socket.pause();
      const before = process.memoryUsage().external;
      const echo = `${JSON.stringify({ id: 'x'.repeat(2000), method, params: ['y'] })}`.repeat(500);
      let sent = 0;
      const flood = () => {
        while (sent < 100 && socket.writable && socket.write(echo)) sent++;
      };
      socket.on('drain', flood);
      flood();
      await until(() => states.includes('connecting'));
      expect(socket.bytesWritten).toBeLessThan(30 * 1024 * 1024);
      expect(process.memoryUsage().external - before).toBeLessThan(30 * 1024 * 1024);
    },
  );

  it('is asked for after silence, and its answer keeps the connection', async () => {
    const server = await serverWith(shop({}));
    const { session, states } = sessionWith([server], { probeIntervalMs: 60 });
    await session.ready(2000);
    const peer = await server.peer(0);
    await new Promise<void>(resolve => {
      peer.socket.on('data', () => {
        if (peer.requests('echo').length >= 4) resolve();
      });
    });
    expect(states).toEqual(['ready']);
  });

  it('that is never answered ends the connection', async () => {
    const server = await serverWith(shop({}, { echo: () => undefined }));
    const { session, states, until } = sessionWith([server], { probeIntervalMs: 80 });
    const causes: string[] = [];
    session.onState((_, cause) => causes.push(cause?.message ?? ''));
    await session.ready(4000);
    const peer = server.peers.at(-1);
    await until(() => states.length >= 2);
    expect(causes[1]).toMatch(/: does not answer$/);
    await peer?.closed;
    expect(peer?.requests('echo')).toHaveLength(1);
  });

  it('other requests of the server are answered with an error', async () => {
    const server = await serverWith(shop({}));
    await sessionWith([server]).session.ready(2000);
    const peer = await server.peer(0);
    const answer = new Promise(resolve => peer.socket.on('data', () => resolve(peer.received.at(-1))));
    peer.send({ id: 5, method: 'steal', params: [] });
    expect(await answer).toEqual({ id: 5, result: null, error: 'unknown method' });
  });
});

describe('an answer', () => {
  it('is not missed by a process that was busy while it came', async () => {
    const server = await serverWith(
      shop(
        {},
        {
          transact: (_, peer) => {
            peer.send({ id: peer.received.at(-1)?.id, result: [], error: null });
            const end = performance.now() + 250;
            while (performance.now() < end);
          },
        },
      ),
    );
    const { session, states } = sessionWith([server], { requestTimeoutMs: 100 });
    await session.ready(2000);
    expect(await session.transact([])).toEqual([]);
    expect(states).toEqual(['ready']);
  });

  it('that takes longer than the time for a request is waited for while it arrives', async () => {
    const rows = Object.fromEntries(
      Array.from({ length: 6 }, (_, index) => [uuid(index), { initial: { name: 'x'.repeat(100_000) } }]),
    );
    const server = await serverWith(
      shop(
        {},
        {
          monitor_cond_since: (_, peer) => {
            const { id } = peer.received.at(-1) ?? {};
            const text = JSON.stringify({ id, result: [false, transaction(1), { Item: rows }], error: null });
            const pieces = text.match(/.{1,100000}/gs) ?? [];
            const timer = setInterval(() => {
              const piece = pieces.shift();
              if (piece === undefined) clearInterval(timer);
              else peer.raw(piece);
            }, 120);
          },
        },
      ),
    );
    const { session } = sessionWith([server], { requestTimeoutMs: 400 });
    await session.ready(2000);
    expect(session.rows('Item').size).toBe(6);
    expect(server.peers).toHaveLength(1);
  });
});
