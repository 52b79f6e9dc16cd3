import { describe, expect, it } from '@jest/globals';
import { ApiError, type ApiRequest, type KubernetesApi } from '../../src/cluster/api/index.ts';
import type { Log } from '../../src/contracts/log.ts';
import { KubernetesNode } from '../../src/node/kubernetes/kubernetes-node.ts';
import { NodePods } from '../../src/node/kubernetes/node-pods.ts';
import { NodeStatus } from '../../src/node/kubernetes/node-status.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeDatabase } from './fake-database.ts';
import { nodeObject, podKey, podObject } from './kubernetes-objects.ts';
import { silentLog } from './silent-log.ts';

const POD = { namespace: 'shop', name: 'web' };

describe("the node's pods", () => {
  it('are asked for by the name of the node', () => {
    expect(NodePods.resource('worker-1')).toMatchObject({
      path: '/api/v1/pods',
      fieldSelector: 'spec.nodeName=worker-1',
    });
    expect(KubernetesNode.resource('worker-1')).toMatchObject({
      path: '/api/v1/nodes',
      fieldSelector: 'metadata.name=worker-1',
    });
  });

  it('are known by uid, and without one by name', () => {
    const pods = new NodePods();
    pods.put(podObject('web', 'uid-1'));
    expect(pods.uidOf({ ...POD, uid: 'uid-1' })).toBe('uid-1');
    expect(pods.uidOf(POD)).toBe('uid-1');
    expect(pods.uidOf({ ...POD, uid: 'uid-2' })).toBeUndefined();
    expect(pods.uidOf({ ...POD, name: 'db' })).toBeUndefined();
  });

  it('are known by the uid of the runtime where kubelet itself started them', () => {
    const pods = new NodePods();
    pods.put(podObject('web', 'uid-1', 'hash'));
    expect(pods.uidOf({ ...POD, uid: 'hash' })).toBe('uid-1');
    expect([pods.hasUid('uid-1'), pods.hasUid('hash')]).toEqual([true, false]);
  });

  it('are replaced and go', () => {
    const pods = new NodePods();
    pods.put(podObject('web', 'uid-1'));
    pods.put(podObject('web', 'uid-2'));
    expect([pods.uidOf(POD), pods.hasUid('uid-1'), pods.hasUid('uid-2')]).toEqual(['uid-2', false, true]);
    pods.deleted(podKey('web'));
    expect([pods.uidOf(POD), pods.hasUid('uid-2')]).toEqual([undefined, false]);
  });

  it('tell when something has changed, and only then', () => {
    const pods = new NodePods();
    let told = 0;
    const end = pods.onChange(() => {
      told += 1;
    });
    pods.put(podObject('web', 'uid-1'));
    pods.put(podObject('web', 'uid-1'));
    expect([told, pods.synced]).toEqual([1, false]);
    pods.listed();
    expect([told, pods.synced]).toEqual([2, true]);
    pods.deleted(podKey('web'));
    pods.deleted(podKey('web'));
    expect(told).toBe(3);
    end();
    pods.put(podObject('web', 'uid-1'));
    expect(told).toBe(3);
  });
});

function setup(externalIds: Readonly<Record<string, string>> = {}) {
  const ovs = new FakeDatabase();
  const row = ovs.insert('Open_vSwitch', { external_ids: new Map(Object.entries(externalIds)) });
  const node = new KubernetesNode('worker-1', ovs, silentLog);
  const requests: ApiRequest[] = [];
  const failures: ApiError[] = [];
  const api: KubernetesApi = {
    async request(request) {
      requests.push(request);
      const failure = failures.shift();
      if (failure) throw failure;
      return {};
    },
    stream: () => Promise.reject(new Error('nobody streams')),
  };
  const clock = new FakeClock();
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => warnings.push(message) };
  const date = () => new Date('2024-05-01T10:20:30.456Z');
  const status = new NodeStatus({ api, node, ovs, log, clock, random: () => 0.5, date });
  /** Lets promises and timers that are due have their turn. */
  const turn = async (ms = 0) => {
    for (let round = 0; round < 5; round += 1) {
      clock.advance(round === 0 ? ms : 0);
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  return { ovs, row, node, requests, failures, clock, warnings, status, turn };
}

describe("the agent's own Node", () => {
  it('says what chassis it is where Open vSwitch does not', () => {
    const { node } = setup();
    expect([node.known, node.chassisId, node.nodeIp]).toEqual([false, 'worker-1', undefined]);
    node.put(nodeObject({ annotations: { 'k8s.ovn.org/node-chassis-id': 'chassis-7' } }));
    expect([node.known, node.chassisId, node.nodeIp]).toEqual([true, 'chassis-7', '192.0.2.21']);
  });

  it('has the chassis that Open vSwitch says it is', () => {
    const { node } = setup({ 'system-id': 'chassis-1' });
    node.put(nodeObject({ annotations: { 'k8s.ovn.org/node-chassis-id': 'chassis-7' } }));
    expect(node.chassisId).toBe('chassis-1');
  });

  it('is followed, but for what does not matter', () => {
    const { node } = setup();
    let told = 0;
    node.onChange(() => {
      told += 1;
    });
    node.put(nodeObject());
    node.put(nodeObject({ conditions: [{ type: 'Ready', status: 'True' }] }));
    expect(told).toBe(1);
    node.put(nodeObject({ addresses: ['192.0.2.99'] }));
    expect([told, node.nodeIp]).toEqual([2, '192.0.2.99']);
    node.deleted();
    expect([told, node.nodeIp, node.known]).toEqual([3, undefined, true]);
  });

  it('counts as far as it can be read', () => {
    const { node } = setup();
    const object = nodeObject();
    node.put({ ...object, raw: { ...object.raw, status: { addresses: 5 } } });
    expect([node.known, node.nodeIp, node.shown?.uid]).toEqual([true, undefined, 'node-uid']);
  });
});

const UP = {
  type: 'NetworkUnavailable',
  status: 'False',
  reason: 'KubeNorthboundIsUp',
  message: 'kube-northbound attaches pods to the network',
};

describe('what the agent shows on its Node', () => {
  it('is the condition NetworkUnavailable, False once it serves', async () => {
    const { node, requests, status, turn } = setup();
    const end = status.start();
    node.put(nodeObject());
    await turn();
    expect(requests).toEqual([]);
    status.setProblem(undefined);
    await turn();
    expect(requests).toEqual([
      expect.objectContaining({
        method: 'PATCH',
        path: '/api/v1/nodes/worker-1/status',
        query: { fieldManager: 'kube-northbound' },
        contentType: 'application/strategic-merge-patch+json',
        body: {
          metadata: { uid: 'node-uid' },
          status: {
            conditions: [
              {
                ...UP,
                lastHeartbeatTime: '2024-05-01T10:20:30Z',
                lastTransitionTime: '2024-05-01T10:20:30Z',
              },
            ],
          },
        },
      }),
    ]);
    node.put(nodeObject({ conditions: [UP] }));
    await turn(120_000);
    expect(requests).toHaveLength(1);
    end();
  });

  it('is written again where somebody changes it', async () => {
    const { node, requests, status, turn } = setup();
    const end = status.start();
    node.put(nodeObject({ conditions: [UP] }));
    status.setProblem(undefined);
    await turn();
    expect(requests).toEqual([]);
    node.put(nodeObject({ conditions: [{ ...UP, status: 'True', reason: 'NoRouteCreated' }] }));
    await turn();
    expect(requests).toHaveLength(1);
    end();
  });

  it('becomes True only where the agent cannot serve for half a minute', async () => {
    const { node, requests, status, turn } = setup();
    const end = status.start();
    node.put(nodeObject({ conditions: [UP] }));
    status.setProblem('the southbound database is not reachable');
    await turn(29_000);
    status.setProblem(undefined);
    await turn(60_000);
    expect(requests).toEqual([]);
    status.setProblem('the southbound database is not reachable');
    await turn(30_000);
    const condition = {
      status: 'True',
      reason: 'KubeNorthboundIsDown',
      message: expect.stringContaining('southbound'),
    };
    expect(requests).toMatchObject([{ body: { status: { conditions: [condition] } } }]);
    end();
  });

  it('becomes True also where the reason is another one all the time', async () => {
    const { node, requests, status, turn } = setup();
    const end = status.start();
    node.put(nodeObject({ conditions: [UP] }));
    for (const problem of ['one', 'two', 'three']) {
      status.setProblem(problem);
      await turn(10_000);
    }
    const condition = { status: 'True', message: 'three' };
    expect(requests).toMatchObject([{ body: { status: { conditions: [condition] } } }]);
    end();
  });

  it('is its chassis where that has not the name of the Node', async () => {
    const { node, requests, status, turn } = setup({ 'system-id': 'chassis-1' });
    const end = status.start();
    node.put(nodeObject());
    await turn();
    const annotations = { 'k8s.ovn.org/node-chassis-id': 'chassis-1' };
    expect(requests.map(({ body }) => body)).toEqual([{ metadata: { uid: 'node-uid', annotations } }]);
    node.put(nodeObject({ annotations }));
    await turn(120_000);
    expect(requests).toHaveLength(1);
    end();
  });

  it('is no chassis where that has the name of the Node', async () => {
    const { ovs, row, node, requests, status, turn } = setup();
    const end = status.start();
    node.put(nodeObject());
    ovs.change('Open_vSwitch', row, { external_ids: new Map([['system-id', 'worker-1']]) });
    await turn();
    expect(requests).toEqual([]);
    end();
  });

  it('corrects a chassis that it is no more', async () => {
    const { node, requests, status, turn } = setup({ 'system-id': 'worker-1' });
    const end = status.start();
    node.put(nodeObject({ annotations: { 'k8s.ovn.org/node-chassis-id': 'chassis-7' } }));
    await turn();
    expect(requests).toMatchObject([
      { body: { metadata: { annotations: { 'k8s.ovn.org/node-chassis-id': 'worker-1' } } } },
    ]);
    end();
  });

  it('is tried again where the API server is in trouble', async () => {
    const { node, requests, failures, status, turn } = setup();
    failures.push(new ApiError('no', { status: 503 }), new ApiError('no', { status: 0 }));
    const end = status.start();
    node.put(nodeObject());
    status.setProblem(undefined);
    await turn();
    await turn(10_000);
    await turn(10_000);
    expect(requests.length).toBe(3);
    end();
  });
});
