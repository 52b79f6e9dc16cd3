import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { ClusterSetup } from '../support/cluster-setup.ts';
import { describeWithControlPlane } from '../support/control-plane.ts';
import { eventually, type MasterProcess } from '../support/master-process.ts';
import { TcpRelay } from '../support/tcp-relay.ts';

const MASTER = { namespace: 'kube-northbound', serviceAccount: 'kube-northbound-master' };
/** Bytes a second: an event of a pod takes seconds, and an answer for the Lease is still in time. */
const SLOW = 1500;

describeWithControlPlane('a master whose connections to the API server fail', () => {
  let cluster: ClusterSetup;
  let relay: TcpRelay;
  let master: MasterProcess;
  let before: ReadonlyMap<string, string>;
  let count = 0;
  /** The rows that were written, once for each time. */
  const touched: string[] = [];

  beforeAll(async () => {
    cluster = await ClusterSetup.create();
    relay = await TcpRelay.listen(Number(new URL(cluster.plane.server).port));
    await cluster.addNodes('a', 'b');
    for (const name of ['stays', 'goes-1', 'goes-2', 'goes-3']) await cluster.addPod(name, 'a');
    // A longer lease: a slow connection is not to cost it.
    const lease = ['--lease-duration', '15', '--lease-renew-deadline', '10', '--lease-retry-period', '2'];
    master = cluster.master('relayed', '--kubeconfig', await throughRelay(), ...lease);
    master.start();
    cluster.onlooker.onDelta(deltas =>
      touched.push(...deltas.map(({ table, row }) => `${table} ${row.columns.name}`)),
    );
  }, 180_000);
  afterAll(async () => {
    await cluster?.destroy();
    await relay?.close();
  }, 60_000);
  beforeEach(async () => {
    before = await cluster.settled();
    await master.synced(undefined, 30_000);
    touched.length = 0;
  }, 60_000);

  /** A kubeconfig with the rights of a master that leads to the relay. */
  async function throughRelay(): Promise<string> {
    const direct = readFileSync(await cluster.plane.kubeconfigFor(MASTER), 'utf8');
    const file = join(cluster.folder, 'relayed.kubeconfig');
    writeFileSync(file, direct.replaceAll(cluster.plane.server, `https://127.0.0.1:${relay.port}`));
    return file;
  }

  /** One pod goes, two come, of which one goes at once: a change of each kind that must not get lost. */
  async function change(): Promise<void> {
    count++;
    await cluster.removePod(`goes-${count}`);
    await cluster.addPod(`comes-${count}`, 'b');
    await cluster.addPod(`passes-${count}`, 'b');
    await cluster.removePod(`passes-${count}`);
  }

  /** The change is there, whoever was there before has what he had, and nothing else was written. */
  async function changed(): Promise<void> {
    const wanted = [...before.keys(), `comes-${count}`].filter(name => name !== `goes-${count}`);
    const now = await cluster.settled(60_000);
    expect([...now.keys()].sort()).toEqual(wanted.sort());
    for (const [name, address] of now) if (before.has(name)) expect(address).toBe(before.get(name));
    const isPort = (row: string) => row.startsWith('Logical_Switch_Port ');
    expect(touched.filter(row => isPort(row) && !row.endsWith(`passes-${count}`)).sort()).toEqual([
      `Logical_Switch_Port shop_comes-${count}`,
      `Logical_Switch_Port shop_goes-${count}`,
    ]);
    const others = touched.filter(row => !isPort(row));
    expect([...new Set(others)].sort()).toEqual(['Logical_Switch a', 'Logical_Switch b']);
  }

  it('lists again where etcd has forgotten what it missed, and writes the difference', async () => {
    const logged = master.log.length;
    relay.shut();
    await change();
    await cluster.plane.compact();
    // The watch cache of this process still knows; that of the next one does not.
    await cluster.plane.stopApiServer('killed');
    await cluster.plane.startApiServer();
    relay.open();
    await changed();
    expect(master.log.slice(logged)).toMatch(/"resource":"Pods","reason":"[^"]*too old[^"]*","next":"list"/);
  }, 120_000);

  it('goes on where it was when its watches are cut again and again', async () => {
    const logged = master.log.length;
    const cutting = setInterval(() => relay.cut(), 300);
    await change();
    await eventually(
      'cuts',
      () => (master.log.slice(logged).match(/"Pods"/g)?.length ?? 0) > 2 || undefined,
      30_000,
    );
    clearInterval(cutting);
    await changed();
    expect(master.log.slice(logged)).not.toContain('"next":"list"');
  }, 120_000);

  it('hears everything where its connections are slow', async () => {
    relay.speed = SLOW;
    const started = performance.now();
    await change();
    await changed();
    // The events of the two that came are more than twice this.
    expect(performance.now() - started).toBeGreaterThan(2_000);
    relay.speed = Number.POSITIVE_INFINITY;
  }, 120_000);
});
