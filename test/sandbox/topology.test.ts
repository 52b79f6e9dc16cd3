import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  generatedNodes,
  hostNamespaces,
  type NodeInput,
  planTopology,
  SANDBOX_NAME,
  TopologyError,
} from '../../src/sandbox/hosts/topology.ts';

const node = (name: string, ...ips: string[]): NodeInput => ({ name, chassis: name, ips });

describe('the layout of a sandbox', () => {
  it('follows ovn-fake-multinode for central host and underlay', () => {
    const { central, nodes, underlayPrefix } = planTopology('shop', [node('a'), node('b')]);
    expect(central).toEqual({ name: 'ovn-central-az1', netns: 'knb-shop-central', ip: '170.168.0.2' });
    expect(nodes.map(({ encapIp }) => encapIp)).toEqual(['170.168.0.3', '170.168.0.4']);
    expect(underlayPrefix).toBe(16);
  });

  it('keeps the InternalIPs of the Nodes, in the network that they share', () => {
    const { nodes, outside } = planTopology('s', [node('a', '10.0.0.9', 'fd20::1'), node('b', '10.0.1.7')]);
    expect(nodes.map(({ addresses }) => addresses)).toEqual([['10.0.0.9/23', 'fd20::1/64'], ['10.0.1.7/23']]);
    expect(outside.addresses).toEqual(['10.0.0.254/23', 'fd20::254/64']);
  });

  it('makes the networks no longer than /24 and /64', () => {
    const { nodes, outside } = planTopology('s', [node('a', '192.168.1.1', 'fd20::1')]);
    expect(nodes[0]?.addresses).toEqual(['192.168.1.1/24', 'fd20::1/64']);
    expect(outside.addresses).toEqual(['192.168.1.254/24', 'fd20::254/64']);
  });

  it('gives the outside another address where a Node has its own', () => {
    const { outside } = planTopology('s', [node('a', '192.168.1.254'), node('b', '192.168.1.253')]);
    expect(outside.addresses).toEqual(['192.168.1.252/24']);
  });

  it('chooses addresses for Nodes that have none', () => {
    const { nodes, outside } = planTopology('s', generatedNodes(2));
    expect(nodes.map(({ name, addresses }) => [name, addresses])).toEqual([
      ['ovn-chassis-1', ['172.31.0.11/24', 'fd31::11/64']],
      ['ovn-chassis-2', ['172.31.0.12/24', 'fd31::12/64']],
    ]);
    expect(outside.addresses).toEqual(['172.31.0.254/24', 'fd31::254/64']);
  });

  it('moves the underlay away from the InternalIPs', () => {
    const { central } = planTopology('s', [node('a', '170.168.3.4'), node('b', '170.169.3.4')]);
    expect(central.ip).toBe('170.170.0.2');
  });

  it('refuses what is no address, and one address twice', () => {
    expect(() => planTopology('s', [node('a', '10.0.0.300')])).toThrow(
      new TopologyError('Node a: the InternalIP "10.0.0.300" is no IP address'),
    );
    expect(() => planTopology('s', [node('a', 'fd20::1'), node('b', 'FD20:0::1')])).toThrow(
      /Node b: the InternalIP fd20::1 is Node a's/,
    );
  });

  it('gives two hosts never the same namespace or address, whatever the names', () => {
    const names = fc.stringMatching(SANDBOX_NAME);
    fc.assert(
      fc.property(names, names, fc.integer({ min: 1, max: 400 }), (one, other, count) => {
        fc.pre(one !== other);
        const first = planTopology(one, generatedNodes(count));
        const all = [...hostNamespaces(first), ...hostNamespaces(planTopology(other, generatedNodes(3)))];
        expect(new Set(all).size).toBe(all.length);
        const addresses = [
          first.central.ip,
          ...first.outside.addresses,
          ...first.nodes.flatMap(({ encapIp, addresses }) => [encapIp, ...addresses]),
        ];
        expect(new Set(addresses).size).toBe(addresses.length);
      }),
      { numRuns: 30 },
    );
  });
});
