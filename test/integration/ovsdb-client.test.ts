import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  assertLock,
  byUuid,
  type Endpoint,
  insert,
  mutate,
  OperationError,
  remove,
  Session,
  type SessionOptions,
  TimeoutError,
  update,
  WrongDatabaseError,
} from '../../src/ovsdb-client/index.ts';
import { databaseFolder, freePorts, ovn, RealServer } from '../support/ovsdb-server.ts';
import { rejection, type Watched, watch } from '../support/watched-session.ts';

const TABLES = {
  Logical_Switch: ['name', 'ports', 'external_ids', 'other_config'],
  Logical_Switch_Port: ['name', 'addresses', 'tag', 'enabled', 'up', 'options'],
  Address_Set: ['name', 'addresses'],
  Meter: ['name', 'unit', 'bands'],
  ACL: ['priority', 'tier', 'no_such_column'],
  No_Such_Table: ['name'],
};

const folder = databaseFolder();
let server: RealServer;
let tcp: Endpoint;

beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  const root = await ovn();
  tcp = { kind: 'tcp', host: '127.0.0.1', port };
  server = new RealServer({ root, folder, name: 'nb', remotes: [`ptcp:${port}:127.0.0.1`] });
  server.create('ovn-nb');
  server.start();
});

afterAll(() => {
  server.stop();
  rmSync(folder, { recursive: true });
});

/** A session that is started, and what it told; closed after the test. */
function open(
  remotes: readonly Endpoint[] = [server.endpoint],
  options: Partial<SessionOptions> = {},
): Watched {
  return watch(new Session({ remotes, database: 'OVN_Northbound', tables: TABLES, ...options }));
}

const SWITCH = '11111111-0000-4000-8000-000000000001';
const PORT = '11111111-0000-4000-8000-000000000002';

describe('a real ovsdb-server', () => {
  it.each(['unix', 'tcp'])('by %s: inserts, modifies and deletes are told', async kind => {
    const { session, deltas, until } = open([kind === 'unix' ? server.endpoint : tcp]);
    await session.ready(10_000);
    const set = crypto.randomUUID();
    await session.transact([
      insert(
        'Logical_Switch',
        {
          name: 's',
          ports: ['uuid', PORT],
          external_ids: [
            'map',
            [
              ['a', '1'],
              ['b', '2'],
            ],
          ],
        },
        { uuid: SWITCH },
      ),
      insert('Logical_Switch_Port', { name: 'p', tag: 5, up: true }, { uuid: PORT }),
      insert('Address_Set', { name: 'as', addresses: ['set', ['10.0.0.1', '10.0.0.2']] }, { uuid: set }),
    ]);
    await until(() => deltas.length === 3);
    expect(session.rows('Logical_Switch').get(SWITCH)?.columns).toEqual({
      name: 's',
      ports: new Set([PORT]),
      external_ids: new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
      other_config: new Map(),
    });
    expect(session.rows('Logical_Switch_Port').get(PORT)?.columns).toEqual({
      name: 'p',
      addresses: new Set(),
      tag: 5,
      enabled: undefined,
      up: true,
      options: new Map(),
    });
    deltas.length = 0;
    await session.transact([
      mutate('Address_Set', byUuid(set), [
        ['addresses', 'insert', ['set', ['10.0.0.3']]],
        ['addresses', 'delete', ['set', ['10.0.0.1']]],
      ]),
      update('Logical_Switch_Port', byUuid(PORT), { tag: ['set', []], enabled: false }),
      update('Logical_Switch', byUuid(SWITCH), {
        external_ids: [
          'map',
          [
            ['b', '3'],
            ['c', '4'],
          ],
        ],
      }),
    ]);
    await until(() => deltas.length === 3);
    const changed = Object.fromEntries(
      deltas.map(delta => [delta.table, delta.kind === 'modify' ? delta.changed : delta.kind]),
    );
    expect(changed).toEqual({
      Address_Set: { addresses: { kind: 'set', added: ['10.0.0.3'], removed: ['10.0.0.1'] } },
      Logical_Switch_Port: {
        tag: { kind: 'scalar', old: 5, new: undefined },
        enabled: { kind: 'scalar', old: undefined, new: false },
      },
      Logical_Switch: {
        external_ids: {
          kind: 'map',
          set: new Map([
            ['b', '3'],
            ['c', '4'],
          ]),
          removed: ['a'],
        },
      },
    });
    deltas.length = 0;
    await session.transact([remove('Logical_Switch', []), remove('Address_Set', [])]);
    await until(() => deltas.length === 3);
    expect(deltas.map(delta => [delta.kind, delta.row.uuid]).sort()).toEqual(
      [
        ['delete', SWITCH],
        ['delete', PORT],
        ['delete', set],
      ].sort(),
    );
  });

  it('tells what its schema lacks', async () => {
    const { session } = open();
    await session.ready(10_000);
    expect(session.schema?.name).toBe('OVN_Northbound');
    expect(session.schema?.hasTable('No_Such_Table')).toBe(false);
    expect(session.schema?.hasColumn('ACL', 'tier')).toBe(true);
    expect(session.schema?.hasColumn('ACL', 'no_such_column')).toBe(false);
  });

  it.each([
    [
      'duplicate uuid',
      1,
      [insert('Meter', { name: 'm', unit: 'kbps' }, { uuid: SWITCH }), insert('Meter', {}, { uuid: SWITCH })],
    ],
    [
      'constraint violation',
      1,
      [insert('Address_Set', { name: 'x' }), insert('Meter', { name: 'm', unit: 'furlongs' })],
    ],
    [
      'constraint violation',
      undefined,
      [insert('Address_Set', { name: 'x' }), insert('Address_Set', { name: 'x' })],
    ],
    [
      'referential integrity violation',
      undefined,
      [insert('Logical_Switch', { name: 's', ports: ['uuid', '99999999-0000-4000-8000-000000000001'] })],
    ],
    ['not owner', 1, [insert('Address_Set', { name: 'x' }), assertLock('nobody_has_it')]],
    ['syntax error', 0, [insert('No_Such_Table', {})]],
  ])('refuses with "%s", operation %s', async (code, operationIndex, operations) => {
    const { session, deltas } = open();
    await session.ready(10_000);
    const error = await rejection(session.transact(operations));
    expect(error).toBeInstanceOf(OperationError);
    expect(error).toMatchObject({ code, operationIndex });
    expect(deltas).toEqual([]);
  });

  it('has another database: final', async () => {
    const { session } = open([server.endpoint], { database: 'OVN_Southbound' });
    const error = await rejection(session.ready(10_000));
    expect(error).toBeInstanceOf(WrongDatabaseError);
    expect(error.message).toContain('has no database OVN_Southbound (it has: OVN_Northbound)');
    expect(session.state).toBe('failed');
  });

  it('gives a lock to one session, and to the next when that is gone', async () => {
    const first = open().session;
    const second = open().session;
    await Promise.all([first.ready(10_000), second.ready(10_000)]);
    await first.lock('kube_northbound_test').acquired(5000);
    const lock = second.lock('kube_northbound_test');
    expect(await rejection(lock.acquired(50))).toBeInstanceOf(TimeoutError);
    await first.close();
    await lock.acquired(5000);
    await second.transact([assertLock('kube_northbound_test')]);
    await lock.release();
    expect(await rejection(second.transact([assertLock('kube_northbound_test')]))).toMatchObject({
      code: 'not owner',
    });
  });

  it('answers our probes: a silent connection lasts', async () => {
    const probeIntervalMs = 50;
    const { session } = open([tcp], { probeIntervalMs });
    const states: string[] = [];
    session.onState(state => states.push(state));
    await session.ready(10_000);
    // Without an answer it would have ended after two intervals.
    await new Promise(resolve => setTimeout(resolve, 10 * probeIntervalMs));
    expect(states).toEqual(['ready']);
  });

  it('survives text of every kind', async () => {
    const { session, deltas, until } = open();
    await session.ready(10_000);
    const text = '"\\ \u0001\u007f ü€𝄞 {[]} \\u0000 \\ud800 \u2028';
    await session.transact([insert('Address_Set', { name: text })]);
    await until(() => deltas.length === 1);
    expect(deltas[0]?.row.columns.name).toBe(text);
    await session.transact([remove('Address_Set', [])]);
  });

  it('crashes and comes back: the rows stay, and only what differs is told', async () => {
    const { session, deltas, until } = open([server.endpoint], { backoff: { minMs: 10, maxMs: 100 } });
    await session.ready(10_000);
    await session.transact([
      insert('Address_Set', { name: 'stays' }),
      insert('Address_Set', { name: 'goes' }),
    ]);
    await until(() => deltas.length === 2);
    const lost = new Promise<void>(resolve => session.onState(state => state === 'connecting' && resolve()));
    server.kill();
    await lost;
    expect(session.rows('Address_Set').size).toBe(2);
    expect(await rejection(session.transact([]))).toMatchObject({ maybeApplied: false });
    server.start();
    const other = open([tcp]);
    await other.session.ready(10_000);
    await other.session.transact([remove('Address_Set', [['name', '==', 'goes']])]);
    await session.ready(10_000);
    await until(() => deltas.length === 3);
    expect(deltas.map(delta => [delta.kind, delta.row.columns.name]).sort()).toEqual([
      ['delete', 'goes'],
      ['insert', 'goes'],
      ['insert', 'stays'],
    ]);
    await session.transact([remove('Address_Set', [])]);
  });
});
