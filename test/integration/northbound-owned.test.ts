import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  northboundOwnership,
  northboundTables,
  requireNorthbound,
  rowsAsTransaction,
} from '../../src/northbound/index.ts';
import { type Operation, Session, type Value } from '../../src/ovsdb-client/index.ts';
import { type Database, OwnedDatabase } from '../../src/ovsdb-state/index.ts';
import { network } from '../support/model-network.ts';
import { ModelWish } from '../support/model-wish.ts';
import { databaseFolder, ovn, RealServer } from '../support/ovsdb-server.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

const folder = databaseFolder();
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function until(holds: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within 5 s: ${what}`);
    await new Promise(resolve => setImmediate(resolve));
  }
}

async function connect(server: RealServer): Promise<Session> {
  const session = new Session({
    remotes: [server.endpoint],
    database: 'OVN_Northbound',
    tables: { ...northboundTables, Address_Set: ['name', 'addresses'] },
  });
  cleanups.push(() => session.close());
  session.start();
  await session.ready(5_000);
  return session;
}

/** An OwnedDatabase on a session of its own, and the transactions that it sends. */
async function own(
  server: RealServer,
  wish: ModelWish,
): Promise<{ owned: OwnedDatabase; sent: (readonly Operation[])[] }> {
  const session = await connect(server);
  const sent: (readonly Operation[])[] = [];
  const database: Database = {
    get state() {
      return session.state;
    },
    get schema() {
      return session.schema;
    },
    rows: table => session.rows(table),
    onDelta: listener => session.onDelta(listener),
    onState: listener => session.onState(listener),
    transact(operations) {
      sent.push(operations);
      return session.transact(operations);
    },
  };
  const owned = new OwnedDatabase({ database, wish, ownership: northboundOwnership('test'), log });
  cleanups.push(() => owned.close());
  owned.setPrune(true);
  owned.resync();
  await until(() => owned.status().inSync, 'in sync');
  return { owned, sent };
}

function names(session: Session, table: string): readonly string[] {
  return Array.from(session.rows(table).values(), ({ columns }) => String(columns.name)).sort();
}

/** All rows with UUIDs replaced by names, to compare databases. */
function dump(session: Session): unknown {
  const nameOf = new Map<unknown, string>();
  const tables = Object.keys(northboundTables);
  for (const table of tables) {
    for (const [uuid, { columns }] of session.rows(table)) nameOf.set(uuid, String(columns.name));
  }
  const plain = (value: Value): unknown => {
    if (value instanceof Set) return [...value].map(atom => nameOf.get(atom) ?? atom).sort();
    return value instanceof Map ? [...value].sort() : (nameOf.get(value) ?? value);
  };
  return tables.map(table =>
    Array.from(session.rows(table).values(), ({ columns }) =>
      Object.fromEntries(
        Object.keys(columns)
          .sort()
          .map(name => [name, plain(columns[name])]),
      ),
    ).sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
  );
}

describe.each(['bookworm', 'trixie'] as const)('the northbound of %s, on a real server', release => {
  let count = 0;
  let schemaOf: (name: 'ovn-nb') => string;
  let root: Awaited<ReturnType<typeof ovn>>;

  beforeAll(async () => {
    // One server serves both schemas: what is under test here is ours.
    const schemas = await ovn(release);
    root = await ovn('trixie');
    schemaOf = () => schemas.schemaPath('ovn-nb');
  }, 120_000);

  function start(): RealServer {
    const server = new RealServer({
      root: { ...root, schemaPath: () => schemaOf('ovn-nb'), command: root.command.bind(root) },
      folder,
      name: `${release}${count++}`,
    });
    server.create('ovn-nb');
    server.start();
    cleanups.push(() => server.stop());
    return server;
  }

  it('follows the wish; a restart writes nothing', async () => {
    const server = start();
    const wish = new ModelWish();
    const others = await connect(server);
    if (others.schema) requireNorthbound(others.schema);
    wish.set(network({ s1: ['p1', 'p2'], s2: ['p3'] }));
    const { owned } = await own(server, wish);
    await until(() => others.rows('Logical_Switch_Port').size === 3, 'three ports');
    owned.apply(wish.set(network({ s1: ['p1'], s2: ['p2'], s3: ['p4'] })));
    await until(
      () => owned.status().inSync && names(others, 'Logical_Switch_Port').join() === 'p1,p2,p4',
      'the change',
    );
    expect(names(others, 'Logical_Switch')).toEqual(['s1', 's2', 's3']);
    expect(owned.status().problems).toEqual([]);
    owned.close();
    const again = await own(server, wish);
    expect(again.sent).toEqual([]);
    expect(
      [...again.owned.owned('Logical_Switch_Port')]
        .map(({ key, unit, parents }) => [key, unit, parents[0]?.key])
        .sort(),
    ).toEqual([
      ['p1', 'unit/p1', 's1'],
      ['p2', 'unit/p2', 's2'],
      ['p4', 'unit/p4', 's3'],
    ]);
  });

  it('repairs what is deleted and changed by hand, and nothing of others', async () => {
    const server = start();
    const others = await connect(server);
    await others.transact([
      {
        op: 'insert',
        table: 'Logical_Switch',
        row: { name: 'theirs', ports: ['named-uuid', 'x'], other_config: ['map', [['k', 'v']]] },
      },
      { op: 'insert', table: 'Logical_Switch_Port', 'uuid-name': 'x', row: { name: 'x' } },
      { op: 'insert', table: 'Address_Set', row: { name: 'as', addresses: '1.2.3.4' } },
    ]);
    const wish = new ModelWish();
    wish.set(network({ s1: ['p1', 'p2'] }));
    const { owned } = await own(server, wish);
    await until(() => others.rows('Logical_Switch').size === 2, 'two switches');
    const before = dump(others);
    await others.transact([
      { op: 'delete', table: 'Logical_Switch', where: [['name', '==', 's1']] },
      { op: 'delete', table: 'Logical_Router', where: [] },
    ]);
    await until(
      () => owned.status().inSync && JSON.stringify(dump(others)) === JSON.stringify(before),
      'all is back',
    );
    await others.transact([
      {
        op: 'update',
        table: 'Logical_Switch_Port',
        where: [['name', '==', 'p1']],
        row: { addresses: 'unknown', external_ids: ['map', []], up: true },
      },
      {
        op: 'mutate',
        table: 'Logical_Switch',
        where: [['name', '==', 's1']],
        mutations: [['other_config', 'delete', ['set', ['subnet']]]],
      },
    ]);
    const port = () =>
      [...others.rows('Logical_Switch_Port').values()].find(({ columns }) => columns.name === 'p1');
    const isRepaired = () => {
      const { addresses, external_ids: marks } = port()?.columns ?? {};
      return addresses instanceof Set && !addresses.has('unknown') && marks instanceof Map && marks.size > 0;
    };
    await until(() => owned.status().inSync && isRepaired(), 'repaired');
    // `up` is northd's: whatever it says stays.
    expect(port()?.columns.up).toBe(true);
    owned.apply(wish.set({}));
    await until(() => owned.status().inSync && others.rows('Logical_Router').size === 0, 'ours are gone');
    expect(names(others, 'Logical_Switch')).toEqual(['theirs']);
    expect(names(others, 'Logical_Switch_Port')).toEqual(['x']);
    expect(names(others, 'Address_Set')).toEqual(['as']);
  });

  it('keeps a switch with a port of others, and refuses names that others have', async () => {
    const server = start();
    const others = await connect(server);
    const wish = new ModelWish();
    wish.set(network({ s1: ['p1'] }));
    const { owned } = await own(server, wish);
    await others.transact([
      { op: 'insert', table: 'Logical_Switch_Port', 'uuid-name': 'g', row: { name: 'guest' } },
      {
        op: 'mutate',
        table: 'Logical_Switch',
        where: [['name', '==', 's1']],
        mutations: [['ports', 'insert', ['named-uuid', 'g']]],
      },
      { op: 'insert', table: 'Logical_Switch', row: { name: 's2' } },
    ]);
    owned.apply(wish.set(network({ s2: ['p2'] })));
    await until(() => owned.status().inSync && owned.status().problems.length > 0, 'problems');
    expect(owned.status().problems.map(({ kind, table, key }) => [kind, table, key])).toEqual([
      ['held', 'Logical_Switch', 's1'],
      ['conflict', 'Logical_Switch', 's2'],
      ['blocked', 'Logical_Switch_Port', 'p2'],
    ]);
    await until(() => names(others, 'Logical_Switch_Port').join() === 'guest', 'only the guest');
    await others.transact([{ op: 'delete', table: 'Logical_Switch', where: [['name', '==', 's2']] }]);
    await others.transact([
      {
        op: 'mutate',
        table: 'Logical_Switch',
        where: [['name', '==', 's1']],
        mutations: [['ports', 'delete', ['uuid', [...others.rows('Logical_Switch_Port').keys()][0]]]],
      },
    ]);
    await until(() => owned.status().inSync && owned.status().problems.length === 0, 'no problems');
    await until(() => names(others, 'Logical_Switch_Port').join() === 'p2', 'our port');
  });

  it('takes the transaction that translate prints, which is what we would have written', async () => {
    const wish = new ModelWish();
    wish.set(network({ s1: ['p1', 'p2'], s2: [] }));
    const [printed, written] = [start(), start()];
    await own(written, wish);
    const [a, b] = [await connect(printed), await connect(written)];
    if (!a.schema) throw new Error('no schema');
    const [database, ...operations] = rowsAsTransaction(wish, a.schema, 'test');
    expect(database).toBe('OVN_Northbound');
    await a.transact(operations as Operation[]);
    await until(() => JSON.stringify(dump(a)) === JSON.stringify(dump(b)), 'equal databases');
    const { sent } = await own(printed, wish);
    expect(sent).toEqual([]);
  });
});
