import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ClusterSetup } from '../support/cluster-setup.ts';
import { describeWithControlPlane } from '../support/control-plane.ts';
import { raftLeader } from '../support/raft-cluster.ts';

describeWithControlPlane('a master on an API server and a northbound of three servers', () => {
  let cluster: ClusterSetup;

  beforeAll(async () => {
    cluster = await ClusterSetup.create({ raft: true });
    await cluster.addNodes('a', 'b');
  }, 180_000);
  afterAll(() => cluster.destroy());

  it('loses and doubles no change when the leading server is killed during churn, five times', async () => {
    const master = cluster.master('only');
    master.start();
    await cluster.addPod('first', 'a');
    let before = await cluster.settled();
    const stamp = cluster.stamp();
    for (let round = 0; round < 5; round++) {
      const leader = raftLeader(cluster.northbound);
      expect(leader).toBeDefined();
      const churn = (async () => {
        for (let pod = 0; pod < 6; pod++)
          await cluster.addPod(`pod-${round}-${pod}`, pod % 2 === 0 ? 'a' : 'b');
        if (round > 0) for (let pod = 0; pod < 3; pod++) await cluster.removePod(`pod-${round - 1}-${pod}`);
      })();
      leader?.kill();
      await churn;
      const now = await cluster.settled();
      expect(now.size).toBe(1 + 6 + round * 3);
      for (const [name, address] of now) if (before.has(name)) expect(address).toBe(before.get(name));
      expect([...cluster.onlooker.keyCounts().values()].every(count => count === 1)).toBe(true);
      before = now;
      leader?.start();
    }
    expect(cluster.stamp()).toBe(stamp);
    await master.end();
  }, 300_000);
});
