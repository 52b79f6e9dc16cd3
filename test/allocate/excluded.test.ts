import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cidrContains, cidrOf, hostAt, lastOf } from '../../src/addresses/index.ts';
import { ExcludedRanges } from '../../src/allocate/excluded.ts';
import { Cluster, cidr, ip, node, pod } from './support.ts';

const excluding = (pools: readonly string[], excluded: readonly string[]) =>
  new Cluster(pools, ['100.64.0.0/16'], { excluded: excluded.map(cidr) });

describe('excluded addresses', () => {
  it('are given to no pod, of either family', () => {
    const cluster = excluding(
      ['10.0.0.0/24 24', 'fd01::/64 64'],
      ['10.0.0.3/32', '10.0.0.5/32', 'fd01::/112'],
    );
    cluster.node('a', node('a')).pod('x/1', pod('x/1', 'a')).pod('x/2', pod('x/2', 'a')).settle();
    expect(Object.fromEntries(cluster.pods)).toEqual({
      'x/1': '10.0.0.4 fd01::1:0',
      'x/2': '10.0.0.6 fd01::1:1',
    });
  });

  it('stay with the pod that has or names them', () => {
    const cluster = excluding(['10.0.0.0/24 24'], ['10.0.0.0/28']);
    cluster.allocations.restore({
      nodes: new Map(),
      pods: new Map([['x/had', { node: 'a', ips: [ip('10.0.0.7')], mac: undefined }]]),
    });
    cluster
      .node('a', node('a'))
      .pod('x/had', pod('x/had', 'a'))
      .pod('x/names', pod('x/names', 'a', ['10.0.0.9']));
    cluster.pod('x/new', pod('x/new', 'a')).settle();
    expect(Object.fromEntries(cluster.pods)).toEqual({
      'x/had': '10.0.0.7',
      'x/names': '10.0.0.9',
      'x/new': '10.0.0.16',
    });
  });

  it('count in the word about a full node', () => {
    const cluster = excluding(['10.0.0.0/29 29'], ['10.0.0.4/31']);
    cluster.node('a', node('a'));
    for (const name of ['x/1', 'x/2', 'x/3']) cluster.pod(name, pod(name, 'a'));
    cluster.settle();
    expect(Object.fromEntries(cluster.pods)).toEqual({
      'x/1': '10.0.0.3',
      'x/2': '10.0.0.6',
      'x/3':
        '! subnet 10.0.0.0/29 of node a is full: all 2 addresses for pods, without the 2 in excludeSubnets, are in use; move pods to other nodes',
    });
  });

  it('are no subnet for a node where they cover it, in one piece or in several', () => {
    const cluster = excluding(
      ['10.0.0.0/22 24'],
      ['10.0.0.0/24', '10.0.1.0/25', '10.0.1.128/25', '10.0.2.0/25'],
    );
    for (const name of ['a', 'b', 'c']) cluster.node(name, node(name));
    cluster.settle();
    expect(Object.fromEntries(cluster.nodes)).toEqual({
      a: '10.0.2.0/24',
      b: '10.0.3.0/24',
      c: '! all 4 subnets of /24 in 10.0.0.0/22 are in use or in excludeSubnets; add a pool to clusterSubnets',
    });
    expect(excluding(['fd01::/48 64'], ['fd01::/49']).node('a', node('a')).settle()).toEqual(['a']);
  });

  it('take no subnet from a node that names one', () => {
    const cluster = excluding(['10.0.0.0/22 24'], ['10.0.0.0/23']).node('a', node('a', ['10.0.1.0/24']));
    cluster.settle();
    expect(Object.fromEntries(cluster.nodes)).toEqual({ a: '10.0.1.0/24' });
  });

  it('are found as a list of subnets says', () => {
    const subnet = fc
      .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
      .map(([host, prefix]) => cidrOf(ip(`10.0.0.${host}`), prefix));
    fc.assert(
      fc.property(fc.array(subnet, { maxLength: 8 }), subnet, (subnets, asked) => {
        const ranges = new ExcludedRanges(subnets);
        const all = cidr('10.0.0.0/24');
        const isIn = (n: number) => subnets.some(one => cidrContains(one, hostAt(all, n)));
        const numbers = Array.from({ length: 256 }, (_, n) => n);
        const ends: (number | undefined)[] = [];
        for (const n of [...numbers].reverse()) ends[n] = isIn(n) ? (ends[n + 1] ?? n) : undefined;
        const found = numbers.map(n => ranges.endOf(hostAt(all, n)));
        expect(found).toEqual(
          numbers.map(n => (ends[n] === undefined ? undefined : BigInt(hostAt(all, ends[n]).value))),
        );
        const inside = numbers.filter(n => cidrContains(asked, hostAt(all, n)));
        expect(ranges.countBetween(asked.ip, lastOf(asked))).toBe(BigInt(inside.filter(isIn).length));
        expect(ranges.endOfCover(asked) !== undefined).toBe(inside.every(isIn));
      }),
      { numRuns: 40 },
    );
  });
});
