import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Agent } from '../../src/node/agent.ts';
import { entryOf } from '../../src/node/database.ts';
import { KubernetesNode } from '../../src/node/kubernetes/kubernetes-node.ts';
import { NodePods, type PodInstances } from '../../src/node/kubernetes/node-pods.ts';
import { fixedNode, type OwnNode } from '../../src/node/own-node.ts';
import { FakeDatabase } from './fake-database.ts';
import { nodeObject } from './kubernetes-objects.ts';
import { silentLog } from './silent-log.ts';
import { bind } from './southbound-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'knb-agent-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Setup {
  readonly ovs?: FakeDatabase;
  readonly self?: OwnNode;
  readonly pods?: PodInstances;
  readonly encapIp?: string | undefined;
}

function setup(name: string, options: Setup = {}) {
  const { ovs = new FakeDatabase(), self = fixedNode('worker-1', 'worker-1', undefined), pods } = options;
  const encapIp = 'encapIp' in options ? options.encapIp : '192.0.2.21';
  const southbound = new FakeDatabase();
  const told: (string | undefined)[] = [];
  const socket = join(folder, name, 'cni.sock');
  const agent = new Agent({
    self,
    pods,
    remote: 'tcp:192.0.2.10:6642',
    encapIp,
    ovs,
    southbound,
    socket,
    mtu: 1400,
    clusterSubnets: [],
    run: async () => '',
    log: silentLog,
    onReadiness: problem => told.push(problem),
  });
  const initialise = () => ovs.insert('Open_vSwitch', { external_ids: new Map(), bridges: new Set() });
  return { ovs, southbound, agent, socket, initialise, told };
}

describe('the agent', () => {
  it('waits for an Open vSwitch that is not initialised yet', async () => {
    const { ovs, agent, socket, initialise } = setup('waits');
    const starting = agent.start();
    await new Promise(resolve => setImmediate(resolve));
    expect(ovs.transactions).toEqual([]);
    initialise();
    await starting;
    expect([...ovs.rows('Bridge')].map(({ columns }) => columns.name)).toEqual(['br-int']);
    expect(existsSync(socket)).toBe(true);
    await agent.stop();
    expect(existsSync(socket)).toBe(false);
  });

  it('does not go on serving where it was stopped while it started', async () => {
    const { ovs, agent, socket, initialise } = setup('stopped');
    initialise();
    const starting = agent.start();
    // Up to the making of the socket's folder, which takes a turn of the event loop.
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    expect(ovs.transactions).not.toEqual([]);
    expect(existsSync(socket)).toBe(false);
    await agent.stop();
    await starting;
    expect(existsSync(socket)).toBe(false);
  });

  it("waits for its Node where nobody else says the tunnel's address, and follows it", async () => {
    const ovs = new FakeDatabase();
    const self = new KubernetesNode('worker-1', ovs, silentLog);
    const { agent, socket, initialise } = setup('node', { ovs, self, encapIp: undefined });
    initialise();
    const starting = agent.start();
    await new Promise(resolve => setImmediate(resolve));
    expect([ovs.transactions, existsSync(socket)]).toEqual([[], false]);
    self.put(nodeObject());
    await starting;
    const encapIp = () =>
      [...ovs.rows('Open_vSwitch')].map(row => entryOf(row, 'external_ids', 'ovn-encap-ip'));
    expect(encapIp()).toEqual(['192.0.2.21']);
    self.put(nodeObject({ addresses: ['192.0.2.99'] }));
    await new Promise(resolve => setImmediate(resolve));
    expect(encapIp()).toEqual(['192.0.2.99']);
    await agent.stop();
  });

  it('serves without the API server where Open vSwitch is set up', async () => {
    const ovs = new FakeDatabase();
    const self = new KubernetesNode('worker-1', ovs, silentLog);
    const { agent, socket } = setup('alone', { ovs, self, encapIp: undefined });
    const ids = { 'system-id': 'chassis-1', 'ovn-encap-ip': '192.0.2.21' };
    ovs.insert('Open_vSwitch', { external_ids: new Map(Object.entries(ids)), bridges: new Set() });
    await agent.start();
    expect(existsSync(socket)).toBe(true);
    await agent.stop();
  });

  it('tells when pods can be attached', async () => {
    const pods = new NodePods();
    const { agent, southbound, initialise, told } = setup('ready', { pods });
    initialise();
    bind(southbound, 'rtos-worker-1', '0a:58:0a:80:00:01 10.128.0.1/23');
    southbound.insert('Chassis', { name: 'worker-1' });
    await agent.start();
    expect(told).toEqual([expect.stringContaining('pods of this node')]);
    pods.listed();
    expect(told.at(-1)).toBeUndefined();
    await agent.stop();
  });
});
