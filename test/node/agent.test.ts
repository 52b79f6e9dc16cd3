import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Agent } from '../../src/node/agent.ts';
import { fixedNode } from '../../src/node/own-node.ts';
import { FakeDatabase } from './fake-database.ts';
import { silentLog } from './silent-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'knb-agent-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function setup(name: string) {
  const ovs = new FakeDatabase();
  const socket = join(folder, name, 'cni.sock');
  const agent = new Agent({
    self: fixedNode('worker-1', 'worker-1', undefined),
    pods: undefined,
    remote: 'tcp:192.0.2.10:6642',
    encapIp: '192.0.2.21',
    ovs,
    southbound: new FakeDatabase(),
    socket,
    mtu: 1400,
    clusterSubnets: [],
    run: async () => '',
    log: silentLog,
    onReadiness: () => undefined,
  });
  const initialise = () => ovs.insert('Open_vSwitch', { external_ids: new Map(), bridges: new Set() });
  return { ovs, agent, socket, initialise };
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
});
