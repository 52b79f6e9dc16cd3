import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { ClusterSetup } from '../support/cluster-setup.ts';
import { describeWithControlPlane } from '../support/control-plane.ts';
import { eventually, type MasterProcess } from '../support/master-process.ts';

const NODES = ['a', 'b', 'c'];

describeWithControlPlane('two masters', () => {
  let cluster: ClusterSetup;
  let masters: ReadonlyMap<string, MasterProcess>;
  let created = 0;
  const alive: string[] = [];

  beforeAll(async () => {
    cluster = await ClusterSetup.create();
    masters = new Map(['one', 'two'].map(name => [name, cluster.master(name)]));
    await cluster.addNodes(...NODES);
    await churn(12, 0);
  }, 180_000);
  afterAll(() => cluster.destroy());
  afterEach(() => Promise.all([...masters.values()].map(master => master.end('SIGKILL'))));

  /** Pods come and go while masters do. */
  async function churn(more: number, fewer: number): Promise<void> {
    for (let count = 0; count < more; count++) {
      const name = `pod-${created++}`;
      alive.push(name);
      await cluster.addPod(name, NODES[created % NODES.length] ?? '');
    }
    for (const name of alive.splice(0, fewer)) await cluster.removePod(name);
  }

  function start(): void {
    for (const master of masters.values()) master.start();
  }

  const of = (name: string): MasterProcess => {
    const master = masters.get(name);
    if (!master) throw new Error(`no master ${name}`);
    return master;
  };

  /** No address twice, and whoever had one still has it. */
  async function checked(before: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    const now = await cluster.settled();
    expect([...now.keys()].sort()).toEqual([...alive].sort());
    const addresses = [...now.values()].flatMap(text => text.split(','));
    expect(new Set(addresses).size).toBe(addresses.length);
    for (const [name, address] of now) if (before.has(name)) expect(address).toBe(before.get(name));
    return now;
  }

  it('of which the leader is killed 20 times during churn: nothing is lost, nothing given twice', async () => {
    start();
    let addresses = await checked(new Map());
    const terms = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const leader = await cluster.leader(masters);
      terms.add(cluster.stamp());
      const churning = churn(4, 3);
      await of(leader).end('SIGKILL');
      await churning;
      of(leader).start();
      addresses = await checked(addresses);
    }
    expect(terms.size).toBe(20);
  }, 600_000);

  it('keep what is programmed while the API server is away, and go on when it is back', async () => {
    start();
    const before = await checked(new Map());
    const leader = of(await cluster.leader(masters));
    await leader.synced(undefined, 30_000);
    cluster.changes.length = 0;
    await cluster.plane.stopApiServer('killed');
    await eventually('nobody leads', () => leader.status()?.lease?.term === null || undefined, 20_000);
    await cluster.plane.startApiServer();
    expect(cluster.changes.filter(table => table !== 'NB_Global')).toEqual([]);
    await cluster.leader(masters);
    await churn(2, 1);
    await checked(before);
    // Two came, one went: nothing else was written anew.
    const ports = cluster.changes.filter(table => table === 'Logical_Switch_Port');
    expect(ports.length).toBeLessThanOrEqual(4);
    expect(cluster.changes.filter(table => table.startsWith('Logical_Router'))).toEqual([]);
  }, 180_000);

  it('of which one is stopped and wakes up: it writes nothing any more, and stands by', async () => {
    start();
    const before = await checked(new Map());
    const name = await cluster.leader(masters);
    const other = of(name === 'one' ? 'two' : 'one');
    await eventually('the other stands by', () => other.status()?.lease?.holder !== '' || undefined, 20_000);
    const stopped = cluster.stamp();
    of(name).signal('SIGSTOP');
    await eventually('the other leads', () => cluster.stamp() !== stopped || undefined, 30_000);
    await churn(3, 2);
    const now = await checked(before);
    const stamp = cluster.stamp();
    of(name).signal('SIGCONT');
    await eventually('it stands by', () => of(name).status()?.lease?.term === null || undefined, 30_000);
    await churn(1, 0);
    await checked(now);
    expect(cluster.stamp()).toBe(stamp);
  }, 180_000);
});

describeWithControlPlane('the first plan after a start', () => {
  let cluster: ClusterSetup;

  beforeAll(async () => {
    cluster = await ClusterSetup.create();
    await cluster.addNodes('a');
    for (let index = 0; index < 12; index++) await cluster.addPod(`pod-${index}`, 'a');
  }, 180_000);
  afterAll(() => cluster.destroy());

  it('deletes nothing where most would go, says so, and does it when it is told to', async () => {
    const first = cluster.master('first');
    first.start();
    const before = await cluster.settled();
    await first.end();
    for (const name of before.keys()) await cluster.removePod(name);

    const careful = cluster.master('careful');
    careful.start();
    await eventually(
      'it leads',
      () => typeof careful.status()?.lease?.term === 'number' || undefined,
      30_000,
    );
    await cluster.addPod('new', 'a');
    await eventually(
      'what is new is written',
      () => cluster.onlooker.named('Logical_Switch_Port', 'shop_new'),
      30_000,
    );
    expect(cluster.onlooker.named('Logical_Switch_Port', 'shop_pod-0')).toBeDefined();
    expect(careful.log).toContain('--first-prune-limit 100');
    expect(careful.status()?.synced).toBe(false);
    expect(careful.status()?.refused).toEqual([expect.objectContaining({ object: 'the first plan' })]);
    await careful.end();

    const told = cluster.master('told', '--first-prune-limit', '100');
    told.start();
    expect([...(await cluster.settled()).keys()]).toEqual(['new']);
    await told.end();
  }, 180_000);
});
