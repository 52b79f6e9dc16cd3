import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ClusterSetup } from '../support/cluster-setup.ts';
import { describeWithControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/master-process.ts';

describeWithControlPlane('a master on an API server', () => {
  let cluster: ClusterSetup;

  beforeAll(async () => {
    cluster = await ClusterSetup.create();
    await cluster.addNodes('a', 'b');
    await cluster.addPod('web-0', 'a');
    await cluster.addPod('web-1', 'b');
  }, 180_000);
  afterAll(() => cluster.destroy());

  it('programs pods and writes back what it gave them, with --once', async () => {
    const master = cluster.master('once', '--once', '--timeout', '20');
    master.start();
    expect(await master.ended()).toBe(0);
    const addresses = await cluster.settled();
    expect([...addresses.keys()]).toEqual(['web-0', 'web-1']);
    expect(await cluster.lease()).toMatchObject({ holderIdentity: '', leaseTransitions: 1 });
    expect(cluster.stamp()).toMatch(/^1\//);
  }, 60_000);

  it('writes nothing but its stamp where all is right', async () => {
    const before = await cluster.settled();
    cluster.changes.length = 0;
    const master = cluster.master('first');
    master.start();
    await master.synced(undefined, 30000);
    expect(await cluster.settled()).toEqual(before);
    expect(cluster.changes).toEqual(['NB_Global']);
    await master.end();
  }, 60_000);

  it.each(['objects', 'northbound'])(
    'finds in the other what the %s lost',
    async loser => {
      const earlier = cluster.master(`before-${loser}`);
      earlier.start();
      // Leaves an address that nobody would be given who began anew.
      for (const name of [`gone-${loser}`, `stays-${loser}`]) {
        await cluster.addPod(name, 'a');
        await cluster.settled();
      }
      await cluster.removePod(`gone-${loser}`);
      const before = await cluster.settled();
      await earlier.end();
      if (loser === 'objects') await cluster.forgetAnnotations();
      else
        await cluster.byHand(
          ...['Logical_Switch', 'Logical_Router'].map(table => ({ op: 'delete', table, where: [] })),
        );
      const master = cluster.master(`after-${loser}`);
      master.start();
      expect(await cluster.settled()).toEqual(before);
      await master.end();
    },
    60_000,
  );

  it('says with --once who leads where it does not get the lease', async () => {
    const leader = cluster.master('leader');
    leader.start();
    await leader.synced(undefined, 30_000);
    const once = cluster.master('late', '--once', '--timeout', '5');
    once.start();
    expect(await once.ended()).toBe(1);
    expect(once.log).toContain(`another master leads: ${leader.status()?.lease?.identity}`);
    await leader.end();
  }, 60_000);

  it('hands over within a second when it is asked to end, and the next one writes only its stamp', async () => {
    const [a, b] = [cluster.master('a'), cluster.master('b')];
    a.start();
    await a.synced(undefined, 30000);
    b.start();
    await eventually(
      'b stands by',
      () => b.status()?.lease?.holder === a.status()?.lease?.identity || undefined,
    );
    expect(b.status()?.synced).toBe(false);
    cluster.changes.length = 0;
    const before = cluster.stamp();
    const started = performance.now();
    const ended = a.end('SIGTERM');
    await eventually('b leads', () => cluster.stamp() !== before || undefined);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await ended).toBe(0);
    await b.synced();
    await cluster.addPod('web-2', 'a');
    await cluster.settled();
    expect(cluster.changes[0]).toBe('NB_Global');
    expect(cluster.changes.slice(1).filter(table => table === 'NB_Global')).toEqual([]);
    await b.end();
  }, 60_000);
});
