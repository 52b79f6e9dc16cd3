import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Operation } from '../../src/ovsdb-client/index.ts';
import { network } from '../support/model-network.ts';
import { databaseFolder, ovn, RealServer } from '../support/ovsdb-server.ts';
import { namesOf, OwnedNorthbound } from '../support/owned-northbound.ts';
import { poll } from '../support/poll.ts';
import { afterTest } from '../support/watched-session.ts';

const folder = databaseFolder();
let count = 0;

beforeAll(async () => {
  await ovn();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

async function start(): Promise<OwnedNorthbound> {
  const server = new RealServer({ root: await ovn(), folder, name: `race${count++}` });
  server.create('ovn-nb');
  server.start();
  afterTest(async () => server.stop());
  return OwnedNorthbound.start([server.endpoint]);
}

const guestIn = (name: string): readonly Operation[] => [
  { op: 'insert', table: 'Logical_Switch_Port', 'uuid-name': 'g', row: { name: 'guest' } },
  {
    op: 'mutate',
    table: 'Logical_Switch',
    where: [['name', '==', name]],
    mutations: [['ports', 'insert', ['named-uuid', 'g']]],
  },
];
const deleteSwitches: Operation = { op: 'delete', table: 'Logical_Switch', where: [] };

describe('somebody who writes at the same instant', () => {
  it('takes the name of a switch: there is no second one, and all else is written', async () => {
    const northbound = await start();
    northbound.beatNext([{ op: 'insert', table: 'Logical_Switch', row: { name: 's1' } }]);
    northbound.want(network({ s1: ['p1'], s2: ['p2'] }));
    await northbound.ports('p2');
    expect(namesOf(northbound.observer, 'Logical_Switch')).toEqual(['s1', 's2']);
    expect(northbound.owned.status().problems[0]).toMatchObject({ kind: 'conflict', key: 's1' });
  });

  it('takes the name of a port: all others are written at once', async () => {
    const northbound = await start();
    northbound.want(network({ s1: [], s2: [] }));
    await northbound.ports();
    northbound.beatNext(guestIn('s2'));
    northbound.want(network({ s1: ['guest', 'p2'], s2: ['p3'] }));
    await northbound.ports('guest', 'p2', 'p3');
    expect(northbound.sent).toHaveLength(3);
    await poll(
      () => northbound.owned.status().problems[0]?.kind === 'conflict',
      () => 'a conflict',
    );
    expect(northbound.owned.status().problems).toHaveLength(1);
  });

  it('deletes the switch into which ports are put: all is back within a second', async () => {
    const northbound = await start();
    northbound.want(network({ s1: ['p1'] }));
    await northbound.ports('p1');
    northbound.beatNext([deleteSwitches]);
    northbound.want(network({ s1: ['p1', 'p2'] }));
    expect(await northbound.ports('p1', 'p2')).toBeLessThan(1_000);
  });

  it('puts a port into a switch that is about to go: both stay', async () => {
    const northbound = await start();
    northbound.want(network({ s1: ['p1'], s2: ['p2'] }));
    await northbound.ports('p1', 'p2');
    northbound.beatNext(guestIn('s2'));
    northbound.want(network({ s1: ['p1'] }));
    await northbound.ports('p1', 'guest');
    expect(northbound.owned.status().problems).toEqual([
      expect.objectContaining({ kind: 'held', table: 'Logical_Switch', key: 's2' }),
    ]);
  });
});

it('a thousand ports that are deleted by hand are back within a second', async () => {
  const northbound = await start();
  const all = Array.from({ length: 1000 }, (_, index) => `p${index}`);
  northbound.want(network({ s1: all.slice(0, 500), s2: all.slice(500) }));
  await northbound.ports(...all);
  const gone = { op: 'update', table: 'Logical_Switch', where: [], row: { ports: ['set', []] } };
  for (const deed of [gone, deleteSwitches]) {
    await northbound.observer.transact([deed]);
    expect(await northbound.ports(...all)).toBeLessThan(1_000);
  }
}, 30_000);

it.each<[string, Operation]>([
  [
    'changes a column',
    { op: 'update', table: 'Logical_Switch_Port', where: [], row: { addresses: 'unknown' } },
  ],
  ['deletes a row', deleteSwitches],
  [
    'wipes our marks',
    { op: 'update', table: 'Logical_Router', where: [], row: { external_ids: ['map', []] } },
  ],
])('somebody who %s again and again is not fought at full speed', async (_, deed) => {
  const northbound = await start();
  northbound.want(network({ s1: ['p1'] }));
  await northbound.ports('p1');
  const { length } = northbound.sent;
  let theirs = 0;
  const stop = northbound.observer.onDelta(() => {
    theirs++;
    void northbound.observer.transact([deed]);
  });
  await northbound.observer.transact([deed]);
  const end = performance.now() + 1_500;
  await poll(
    () => performance.now() > end,
    () => 'the end of the fight',
  );
  stop();
  expect(theirs).toBeGreaterThan(3);
  expect(northbound.sent.length - length).toBeGreaterThanOrEqual(2);
  expect(northbound.sent.length - length).toBeLessThan(10);
});
