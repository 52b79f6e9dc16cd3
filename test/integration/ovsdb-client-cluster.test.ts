import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Endpoint,
  insert,
  NotConnectedError,
  type RowDelta,
  Session,
} from '../../src/ovsdb-client/index.ts';
import { databaseFolder, freePorts, ovn, RealServer } from '../support/ovsdb-server.ts';
import { watch } from '../support/watched-session.ts';

const folder = databaseFolder();
const members: RealServer[] = [];

beforeAll(async () => {
  const root = await ovn();
  const ports = await freePorts(3);
  const [first = 0] = ports;
  for (const [index, port] of ports.entries()) {
    const member = new RealServer({ root, folder, name: `nb${index + 1}` });
    const address = `tcp:127.0.0.1:${port}`;
    if (index === 0) member.createCluster('ovn-nb', address);
    else member.joinCluster('OVN_Northbound', address, `tcp:127.0.0.1:${first}`);
    member.start();
    members.push(member);
  }
});

afterAll(() => {
  for (const member of members) member.stop();
  rmSync(folder, { recursive: true });
});

function sessionOf(remotes: readonly Endpoint[], leaderOnly: boolean) {
  return watch(
    new Session({
      remotes,
      database: 'OVN_Northbound',
      tables: { Address_Set: ['name', 'addresses'] },
      leaderOnly,
      backoff: { minMs: 20, maxMs: 200 },
    }),
  );
}

/** The names that somebody knows who has only followed the deltas. Throws where a delta does not fit. */
function follow(deltas: readonly RowDelta[]): string[] {
  const names = new Map<string, string>();
  for (const delta of deltas) {
    if (delta.kind === 'insert' && names.has(delta.row.uuid)) throw new Error(`${delta.row.uuid} came twice`);
    if (delta.kind === 'delete') names.delete(delta.row.uuid);
    else names.set(delta.row.uuid, String(delta.row.columns.name));
  }
  return [...names.values()].sort();
}

/** Inserts a row under one UUID until it is known to be there: a blind retry is safe. */
async function write(session: Session, name: string): Promise<void> {
  const uuid = crypto.randomUUID();
  for (;;) {
    await session.ready(30_000);
    try {
      await session.transact([insert('Address_Set', { name }, { uuid })]);
      return;
    } catch (error) {
      if (error instanceof NotConnectedError) continue;
      if (error instanceof Error && 'code' in error && error.code === 'duplicate uuid') return;
      throw error;
    }
  }
}

function roleOf(member: RealServer): string {
  return /^Role: (.*)$/m.exec(member.control('cluster/status', 'OVN_Northbound'))?.[1] ?? '';
}

describe('a cluster of three', () => {
  it('loses its leader: the session finds the next, and nobody misses a change', async () => {
    const remotes = members.map(member => member.endpoint);
    const writer = sessionOf(remotes, true);
    const reader = sessionOf([...remotes].reverse(), false);
    await Promise.all([writer.session.ready(30_000), reader.session.ready(30_000)]);
    const names = Array.from({ length: 60 }, (_, index) => `set${String(index).padStart(2, '0')}`);
    for (const name of names.slice(0, 20)) await write(writer.session, name);

    const leader = members.find(member => roleOf(member) === 'leader');
    expect(leader).toBeDefined();
    leader?.kill();
    for (const name of names.slice(20, 40)) await write(writer.session, name);
    leader?.start();
    for (const name of names.slice(40)) await write(writer.session, name);

    await writer.until(() => writer.session.rows('Address_Set').size === names.length);
    await reader.until(() => reader.session.rows('Address_Set').size === names.length);
    expect(follow(writer.deltas)).toEqual(names);
    expect(follow(reader.deltas)).toEqual(names);
    expect(writer.states.slice(0, 3)).toEqual(['ready', 'connecting', 'ready']);
  });

  it('whose leader hands over: the session follows without losing its rows', async () => {
    const remotes = members.map(member => member.endpoint);
    const { session, deltas, states, until } = sessionOf(remotes, true);
    await session.ready(30_000);
    const before = session.rows('Address_Set').size;
    const told = deltas.length;
    const smallest: number[] = [];
    session.onState(() => smallest.push(session.rows('Address_Set').size));
    const leader = members.find(member => roleOf(member) === 'leader');
    // What a leader also does by itself, before it compacts its log.
    leader?.control('cluster/failure-test', 'transfer-leadership');
    await until(() => states.length >= 3);
    await session.ready(30_000);
    await write(session, 'after');
    await until(() => session.rows('Address_Set').size === before + 1);
    expect(deltas.length - told).toBe(1);
    expect(Math.min(...smallest)).toBe(before);
  });
});
