import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../src/cluster/api/types.ts';
import { objectAt, type Raw } from '../../src/cluster/facts/raw.ts';
import type { SandboxNode } from '../../src/sandbox/hosts/topology.ts';
import { NodeKeeper } from '../../src/sandbox/kubelet/node-keeper.ts';
import { conditionOf, nodeStatusPatch } from '../../src/sandbox/kubelet/node-object.ts';
import { poll } from '../../src/sandbox/processes/poll.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { KubeletApi } from './kubelet-api.ts';

const NODE: SandboxNode = {
  name: 'n-a',
  chassis: 'n-a',
  id: 'n1',
  netns: 'knb-s-n1',
  encapIp: '170.168.0.3',
  addresses: ['172.31.0.11/24', 'fd31::11/64'],
};
const PATH = '/api/v1/nodes/n-a';
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n-a';

class Scene {
  readonly api = new KubeletApi();
  readonly clock = new FakeClock();
  readonly warnings: string[] = [];
  /** Why no pod can be attached. */
  problem: string | undefined;
  readonly keeper: NodeKeeper;

  constructor(manifest?: Raw) {
    const log = { debug: () => {}, info: () => {}, error: () => {} };
    this.keeper = new NodeKeeper({
      node: NODE,
      manifest,
      api: this.api,
      checkNetwork: async () => {
        if (this.problem !== undefined) throw new Error(this.problem);
      },
      clock: this.clock,
      log: { ...log, warn: (_, message) => this.warnings.push(message) },
      changed: () => undefined,
    });
  }

  get node(): Raw {
    return this.api.objects.get(PATH) ?? {};
  }

  /** Waits until the keeper has done its part and waits for its time. */
  async rested(): Promise<void> {
    expect(await poll(2000, () => this.clock.next() !== undefined, 1)).toBe(true);
  }

  async after(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds);
    await this.rested();
  }
}

describe('a node of the sandbox', () => {
  it('is registered with what its manifest says, is ready, and has a lease', async () => {
    const scene = new Scene({ metadata: { labels: { zone: 'z1' } }, spec: { podCIDRs: ['10.128.0.0/24'] } });
    scene.keeper.start();
    await scene.rested();
    expect(scene.node).toMatchObject({
      metadata: { name: 'n-a', labels: { zone: 'z1', 'kubernetes.io/hostname': 'n-a' } },
      spec: { podCIDRs: ['10.128.0.0/24'] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '172.31.0.11' },
          { type: 'InternalIP', address: 'fd31::11' },
          { type: 'Hostname', address: 'n-a' },
        ],
        allocatable: { pods: '250' },
      },
    });
    expect(scene.keeper.ready).toBe(true);
    expect(scene.api.objects.get(LEASE)).toMatchObject({
      metadata: { ownerReferences: [{ kind: 'Node', name: 'n-a', uid: `uid of ${PATH}` }] },
      spec: { holderIdentity: 'n-a', leaseDurationSeconds: 40, renewTime: '1970-01-01T00:00:00.000000Z' },
    });
  });

  it('is ready once its network is, and not asked about it again', async () => {
    const scene = new Scene();
    scene.problem = 'CNI STATUS failed with code 50: no agent';
    scene.keeper.start();
    await scene.rested();
    const condition = () => conditionOf(objectAt(scene.node, 'status'), 'Ready');
    expect(condition()).toMatchObject({
      status: 'False',
      message: 'the network is not ready: CNI STATUS failed with code 50: no agent',
    });
    expect(scene.api.objects.has(LEASE)).toBe(true);
    expect(scene.warnings).toEqual([]);
    scene.problem = undefined;
    await scene.after(1000);
    expect(condition()).toMatchObject({ status: 'True', message: '' });
    scene.problem = 'the agent is restarting';
    await scene.after(10_000);
    expect(scene.keeper.ready).toBe(true);
  });

  it('renews its lease every ten seconds, and writes nothing else while all is well', async () => {
    const scene = new Scene();
    scene.keeper.start();
    await scene.rested();
    scene.api.asked.length = 0;
    await scene.after(10_000);
    expect(scene.api.asked).toEqual([`PATCH ${LEASE}`]);
    expect(scene.api.objects.get(LEASE)).toMatchObject({
      spec: { renewTime: '1970-01-01T00:00:10.000000Z' },
    });
  });

  it('is made ready again where the node controller has given it up, and keeps the conditions of others', async () => {
    const scene = new Scene();
    scene.keeper.start();
    await scene.rested();
    const network = { type: 'NetworkUnavailable', status: 'False', reason: 'Agent' };
    const lost = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' };
    scene.api.objects.set(PATH, {
      ...scene.node,
      status: { ...objectAt(scene.node, 'status'), conditions: [network, lost] },
    });
    await scene.after(10_000);
    const status = objectAt(scene.node, 'status');
    expect(conditionOf(status, 'Ready')).toMatchObject({
      status: 'True',
      reason: 'KubeletReady',
      lastTransitionTime: '1970-01-01T00:00:10Z',
    });
    expect(conditionOf(status, 'NetworkUnavailable')).toEqual(network);
  });

  it('replaces the addresses of a Node that was registered with others', () => {
    const patch = nodeStatusPatch(
      NODE,
      { status: { addresses: [{ type: 'InternalIP', address: '9.9.9.9' }] } },
      undefined,
      't',
    );
    expect(objectAt(patch ?? {}, 'status').addresses).toEqual([
      { $patch: 'replace' },
      { type: 'InternalIP', address: '172.31.0.11' },
      { type: 'InternalIP', address: 'fd31::11' },
      { type: 'Hostname', address: 'n-a' },
    ]);
  });

  it('stays away where somebody deletes it, and is taken up where somebody makes it anew', async () => {
    const scene = new Scene();
    scene.keeper.start();
    await scene.rested();
    scene.api.objects.delete(PATH);
    await scene.after(10_000);
    expect(scene.api.objects.has(PATH)).toBe(false);
    expect(scene.keeper.ready).toBe(false);
    scene.api.objects.set(PATH, { metadata: { name: 'n-a', uid: 'new' } });
    await scene.after(10_000);
    expect(scene.keeper.ready).toBe(true);
  });

  it('waits for an API server that is away, longer each time', async () => {
    const scene = new Scene();
    scene.api.down = true;
    scene.keeper.start();
    await scene.rested();
    const pauses: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      const pause = (scene.clock.next() ?? 0) - scene.clock.now();
      pauses.push(pause);
      await scene.after(pause);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000]);
    expect(scene.warnings).toHaveLength(7);
    scene.api.down = false;
    await scene.after(10_000);
    expect(scene.keeper.ready).toBe(true);
  });

  it('tries again where another writer was faster', async () => {
    const scene = new Scene();
    scene.api.failures.push(
      new ApiError('not found', { status: 404 }),
      new ApiError('there already', { status: 409 }),
    );
    scene.keeper.start();
    await scene.rested();
    expect(scene.keeper.ready).toBe(false);
    await scene.after(500);
    expect(scene.keeper.ready).toBe(true);
  });

  it('makes no second lease where the first cannot be renewed', async () => {
    const scene = new Scene();
    scene.keeper.start();
    await scene.rested();
    scene.api.asked.length = 0;
    scene.api.refusing = 'leases';
    await scene.after(10_000);
    expect(scene.api.asked).toEqual([`PATCH ${LEASE}`]);
    expect(scene.warnings).toHaveLength(1);
  });

  it('asks for nothing more once it was stopped', async () => {
    const scene = new Scene();
    scene.keeper.start();
    await scene.rested();
    scene.keeper.stop();
    expect(scene.clock.next()).toBeUndefined();
  });
});
