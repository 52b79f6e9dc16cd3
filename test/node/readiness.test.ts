import { describe, expect, it } from '@jest/globals';
import { NodePods, type PodInstances } from '../../src/node/kubernetes/node-pods.ts';
import { fixedNode } from '../../src/node/own-node.ts';
import { Readiness } from '../../src/node/readiness.ts';
import { PortBindings } from '../../src/node/southbound.ts';
import { FakeDatabase } from './fake-database.ts';
import { bind } from './southbound-rows.ts';

function setup(pods?: PodInstances) {
  const ovs = new FakeDatabase();
  const southbound = new FakeDatabase();
  const bridge = ovs.insert('Bridge', { name: 'br-int', ports: new Set() });
  const chassis = southbound.insert('Chassis', { name: 'chassis-1' });
  const bindings = new PortBindings(southbound);
  const router = bind(southbound, 'rtos-worker-1', '0a:58:0a:80:00:01 10.128.0.1/23');
  const self = fixedNode('worker-1', 'chassis-1', undefined);
  const readiness = new Readiness({ self, pods, ovs, bindings });
  const status = () => readiness.problem;
  return { ovs, southbound, rows: { bridge, chassis, router }, readiness, status };
}

type World = ReturnType<typeof setup>;

describe('STATUS', () => {
  it('says nothing where ADDs can be served', () => {
    expect(setup().status()).toBeUndefined();
  });

  it.each<[string, (world: World) => void, number, string]>([
    ['Open vSwitch is away', ({ ovs }) => ovs.setConnected(false), 50, 'local Open vSwitch'],
    ['the southbound is away', ({ southbound }) => southbound.setConnected(false), 50, 'southbound'],
    [
      'the node has no router port',
      ({ southbound, rows }) => southbound.delete('Port_Binding', rows.router),
      50,
      'rtos-worker-1',
    ],
    ['there is no br-int', ({ ovs, rows }) => ovs.delete('Bridge', rows.bridge), 51, 'br-int'],
    [
      'ovn-controller is not registered',
      ({ southbound, rows }) => southbound.delete('Chassis', rows.chassis),
      51,
      'no chassis chassis-1',
    ],
  ])('tells that %s', (_, act, code, reason) => {
    const world = setup();
    act(world);
    expect(world.status()).toMatchObject({ code, message: expect.stringContaining(reason) });
  });

  it("tells that the node's pods are not listed yet", () => {
    const pods = new NodePods();
    const { status } = setup(pods);
    expect(status()).toMatchObject({ code: 50, message: expect.stringContaining('pods of this node') });
    pods.listed();
    expect(status()).toBeUndefined();
  });

  it('is told again when it is another', () => {
    const pods = new NodePods();
    const { readiness, southbound, ovs } = setup(pods);
    const told: (string | undefined)[] = [];
    const end = readiness.follow(problem => told.push(problem));
    southbound.setConnected(false);
    ovs.insert('Port', { name: 'other' });
    southbound.setConnected(true);
    pods.listed();
    end();
    ovs.setConnected(false);
    const unlisted = expect.stringMatching(/^the pods of this node/);
    expect(told).toEqual([unlisted, expect.stringContaining('southbound'), unlisted, undefined]);
  });

  it('tells everything that is wrong', () => {
    const world = setup();
    world.ovs.setConnected(false);
    world.southbound.delete('Chassis', world.rows.chassis);
    expect(world.status()).toMatchObject({
      code: 51,
      message: expect.stringContaining('local Open vSwitch'),
      details: expect.stringContaining('no chassis chassis-1'),
    });
  });
});
