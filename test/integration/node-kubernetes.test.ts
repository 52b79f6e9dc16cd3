import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type KubernetesClient, openKubernetes } from '../../src/cluster/api/index.ts';
import { type NodeKubernetes, nodeKubernetes } from '../../src/node/kubernetes/index.ts';
import { FakeDatabase } from '../node/fake-database.ts';
import { silentLog } from '../node/silent-log.ts';
import { deniedRequests, unusedRights } from '../support/audit.ts';
import { controlPlane, describeWithControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { poll } from '../support/poll.ts';
import { deployedRights } from '../support/rights.ts';

const RBAC = join(__dirname, '../../deploy/rbac.yaml');
const rights = deployedRights().filter(({ user }) => user.endsWith(':kube-northbound-node'));

const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
const pod = (name: string, nodeName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { nodeName, containers: [{ name, image: 'none' }], terminationGracePeriodSeconds: 0 },
});
const meant = (name: string, uid?: string) => ({ namespace: 'default', name, ...(uid ? { uid } : {}) });

describeWithControlPlane('the Kubernetes side of an agent, with the rights that deploy/ grants', () => {
  let plane: TestControlPlane;
  let api: KubernetesClient;
  let agent: NodeKubernetes;
  let running: Promise<void>;
  const ovs = new FakeDatabase();
  const stop = new AbortController();

  beforeAll(async () => {
    plane = await controlPlane();
    await plane.kubectl(['apply', '-f', RBAC]);
    await plane.apply(node('worker-1'), node('worker-2'), pod('web', 'worker-1'), pod('db', 'worker-2'));
    await setInternalIp('192.0.2.21');
    const account = { namespace: 'kube-northbound', serviceAccount: 'kube-northbound-node' };
    api = openKubernetes({ kubeconfig: await plane.kubeconfigFor(account) });
    ovs.insert('Open_vSwitch', { external_ids: new Map([['system-id', 'chassis-1']]) });
    agent = nodeKubernetes({ api, name: 'worker-1', ovs, log: silentLog });
    running = agent.run(stop.signal);
    await poll(
      () => agent.pods.synced && agent.self.known,
      () => 'the first lists',
      30_000,
    );
  }, 120_000);

  afterAll(async () => {
    stop.abort();
    await running;
    api.close();
    await plane.stop();
  });

  const read = async (...args: readonly string[]) => JSON.parse(await plane.kubectl([...args, '-o', 'json']));
  const setInternalIp = (address: string) =>
    plane.kubectl([
      ...['patch', 'node', 'worker-1', '--subresource=status', '--type=merge', '-p'],
      JSON.stringify({ status: { addresses: [{ type: 'InternalIP', address }] } }),
    ]);
  const conditionOf = async (): Promise<{ readonly [key: string]: string } | undefined> =>
    ((await read('get', 'node', 'worker-1')).status.conditions ?? []).find(
      ({ type }: { readonly type: string }) => type === 'NetworkUnavailable',
    );
  /** Waits until kubectl shows it. */
  const shown = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const end = performance.now() + 30_000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`not within 30 s: ${what}`);
    }
  };

  it('knows the pods of its node by their uid, and no others', async () => {
    const { uid } = (await read('get', 'pod', 'web')).metadata;
    expect(agent.pods.uidOf(meant('web'))).toBe(uid);
    expect(agent.pods.uidOf(meant('web', uid))).toBe(uid);
    expect(agent.pods.uidOf(meant('web', 'another'))).toBeUndefined();
    expect(agent.pods.uidOf(meant('db'))).toBeUndefined();
  });

  it('follows pods that come, are replaced and go', async () => {
    await plane.apply(pod('new', 'worker-1'));
    await poll(
      () => agent.pods.uidOf(meant('new')) !== undefined,
      () => 'the new pod',
      30_000,
    );
    const before = agent.pods.uidOf(meant('new')) ?? '';
    await plane.kubectl(['delete', 'pod', 'new', '--force', '--grace-period=0']);
    await plane.apply(pod('new', 'worker-1'));
    const { uid } = (await read('get', 'pod', 'new')).metadata;
    await poll(
      () => agent.pods.uidOf(meant('new')) === uid,
      () => 'the successor',
      30_000,
    );
    expect(agent.pods.hasUid(before)).toBe(false);
    await plane.kubectl(['delete', 'pod', 'new', '--force', '--grace-period=0']);
    await poll(
      () => !agent.pods.hasUid(uid),
      () => 'the pod is gone',
      30_000,
    );
  }, 60_000);

  it("follows its own Node's address", async () => {
    expect(agent.self.nodeIp).toBe('192.0.2.21');
    await setInternalIp('192.0.2.99');
    await poll(
      () => agent.self.nodeIp === '192.0.2.99',
      () => 'the new address',
      30_000,
    );
  }, 60_000);

  it('publishes the chassis where that has another name than the Node', async () => {
    const annotation = await shown('the annotation', async () => {
      const { annotations = {} } = (await read('get', 'node', 'worker-1')).metadata;
      return annotations['k8s.ovn.org/node-chassis-id'] as string | undefined;
    });
    expect([annotation, agent.self.chassisId]).toEqual(['chassis-1', 'chassis-1']);
  }, 60_000);

  it('sets the condition NetworkUnavailable, leaves the others alone, and repairs it', async () => {
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
    const patch = (condition: object) =>
      plane.kubectl([
        ...['patch', 'node', 'worker-1', '--subresource=status', '-p'],
        JSON.stringify({ status: { conditions: [condition] } }),
      ]);
    await patch(ready);
    agent.setProblem(undefined);
    const isFalse = async () => {
      const condition = await conditionOf();
      return condition?.status === 'False' ? condition : undefined;
    };
    expect(await shown('the condition', isFalse)).toMatchObject({ reason: 'KubeNorthboundIsUp' });
    await patch({ type: 'NetworkUnavailable', status: 'True', reason: 'NoRouteCreated' });
    expect(await shown('the condition again', isFalse)).toMatchObject({ reason: 'KubeNorthboundIsUp' });
    expect((await read('get', 'node', 'worker-1')).status.conditions).toContainEqual(
      expect.objectContaining(ready),
    );
  }, 90_000);

  it('uses all of its rights, and asks for nothing else', () => {
    const events = plane.audit();
    expect(deniedRequests(rights, events)).toEqual([]);
    expect(unusedRights(rights, events)).toEqual([]);
  });

  // The last one: an API server that starts refuses everybody for a moment, until it knows its roles.
  it('goes on where the API server was away', async () => {
    await plane.stopApiServer();
    expect([agent.pods.synced, agent.pods.uidOf(meant('web')) !== undefined]).toEqual([true, true]);
    await plane.startApiServer();
    await plane.apply(pod('later', 'worker-1'));
    await poll(
      () => agent.pods.uidOf(meant('later')) !== undefined,
      () => 'the later pod',
      60_000,
    );
  }, 120_000);
});
