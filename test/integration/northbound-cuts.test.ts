import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Session } from '../../src/ovsdb-client/index.ts';
import { network } from '../support/model-network.ts';
import type { ModelRows } from '../support/model-wish.ts';
import { databaseFolder, freePorts, ovn, RealServer } from '../support/ovsdb-server.ts';
import { namesOf, OwnedNorthbound } from '../support/owned-northbound.ts';
import { poll } from '../support/poll.ts';
import { UnixCutter } from '../support/unix-cutter.ts';
import { afterTest } from '../support/watched-session.ts';

const folder = databaseFolder();

beforeAll(async () => {
  await ovn();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** State number `n`: each has something new, something that goes, something that moves, and something that stays. */
function state(n: number): ModelRows {
  return network({
    s1: [`a${n}`, 'stays'],
    s2: n % 2 === 0 ? ['moves'] : [],
    s3: n % 2 === 0 ? [] : ['moves'],
    [`t${n}`]: [`b${n}`],
  });
}

async function reach(northbound: OwnedNorthbound, n: number): Promise<void> {
  northbound.want(state(n));
  await northbound.ports(`a${n}`, `b${n}`, 'moves', 'stays');
  expect(namesOf(northbound.observer, 'Logical_Switch')).toEqual(['s1', 's2', 's3', `t${n}`]);
  expect(northbound.owned.status().problems).toEqual([]);
}

/** The names of rows that came more than once. */
function twice(session: Session): () => readonly string[] {
  const seen = new Map<string, number>();
  session.onDelta(deltas => {
    for (const { kind, table, row } of deltas) {
      const name = `${table} ${row.columns.name}`;
      if (kind === 'insert') seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  });
  return () => [...seen].filter(([, times]) => times > 1).map(([name]) => name);
}

it.each([false, true])(
  'cut anywhere, it goes on, and no row comes twice (cluster: %s)',
  async isCluster => {
    const server = new RealServer({ root: await ovn(), folder, name: `cut${isCluster}` });
    const [port] = await freePorts(1);
    if (isCluster) server.createCluster('ovn-nb', `tcp:127.0.0.1:${port}`);
    else server.create('ovn-nb');
    server.start();
    afterTest(async () => server.stop());
    const cutter = new UnixCutter(server.endpoint.path, join(folder, `cutter${isCluster}`));
    afterTest(() => cutter.close());
    const northbound = await OwnedNorthbound.start([cutter.endpoint], [server.endpoint]);
    const twiceSeen = twice(northbound.observer);
    for (let n = 0; n < 40; n++) {
      await reach(northbound, n);
      cutter.budget[n % 2 === 0 ? 'requests' : 'answers'] = 1 + 67 * n;
    }
    expect(cutter.cuts).toBeGreaterThan(20);
    expect(twiceSeen()).toEqual([]);
  },
  60_000,
);

describe('a cluster of three', () => {
  it('in all kinds of trouble gets what is wanted, and no row twice', async () => {
    const root = await ovn();
    const ports = await freePorts(3);
    const [first] = ports;
    const members = ports.map((port, index) => {
      const member = new RealServer({ root, folder, name: `member${index}` });
      const address = `tcp:127.0.0.1:${port}`;
      if (index === 0) member.createCluster('ovn-nb', address);
      else member.joinCluster('OVN_Northbound', address, `tcp:127.0.0.1:${first}`);
      member.start();
      afterTest(async () => member.stop());
      return member;
    });
    const remotes = members.map(({ endpoint }) => endpoint);
    const northbound = await OwnedNorthbound.start(remotes, [...remotes].reverse());
    const twiceSeen = twice(northbound.observer);
    const leader = () =>
      members.find(member => member.control('cluster/status', 'OVN_Northbound').includes('Role: leader'));
    let n = 0;
    await reach(northbound, n++);
    leader()?.control('cluster/failure-test', 'transfer-leadership');
    await reach(northbound, n++);
    leader()?.control('ovsdb-server/compact', 'OVN_Northbound');
    await reach(northbound, n++);
    const killed = leader();
    northbound.want(state(n));
    killed?.kill();
    await reach(northbound, n++);
    killed?.start();
    for (const member of members) member.kill();
    for (const member of members) member.start();
    await reach(northbound, n++);
    expect(twiceSeen()).toEqual([]);
  }, 60_000);
});

it('another file, and other schemas up and down, are followed', async () => {
  const [older, newer] = [(await ovn('bookworm')).schemaPath('ovn-nb'), (await ovn()).schemaPath('ovn-nb')];
  const root = await ovn();
  let schema = newer;
  const server = new RealServer({
    root: { ...root, schemaPath: () => schema, command: root.command.bind(root) },
    folder,
    name: 'schemas',
  });
  server.create('ovn-nb');
  server.start();
  afterTest(async () => server.stop());
  const northbound = await OwnedNorthbound.start([server.endpoint]);
  const isOlder = () => northbound.observer.schema?.version === '7.0.0';
  await reach(northbound, 0);
  expect(isOlder()).toBe(false);
  server.kill();
  rmSync(join(folder, 'schemas.db'));
  schema = older;
  server.create('ovn-nb');
  server.start();
  await poll(isOlder, () => 'the older schema');
  await reach(northbound, 1);
  for (const [n, next] of [newer, older].entries()) {
    const { length } = northbound.sent;
    server.run('ovsdb-client', ['convert', `unix:${server.endpoint.path}`, next]);
    await poll(
      () => isOlder() === (next === older) && northbound.owned.status().inSync,
      () => next,
    );
    expect(northbound.sent).toHaveLength(length);
    await reach(northbound, 2 + n);
  }
}, 60_000);
