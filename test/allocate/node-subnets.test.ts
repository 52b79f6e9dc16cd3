import { describe, expect, it } from '@jest/globals';
import { Cluster, cidr, node } from './support.ts';

describe("a node's subnets", () => {
  it('are one of each family from the pools, in the order of age', () => {
    const cluster = new Cluster(['fd01::/48 64', '10.128.0.0/14 23'])
      .node('a', node('a', undefined, { created: '2026-02-01T00:00:00Z' }))
      .node('b', node('b', undefined, { created: '2026-01-01T00:00:00Z' }))
      .node('c', node('c'));
    expect(cluster.settle().sort()).toEqual(['a', 'b', 'c']);
    expect(Object.fromEntries(cluster.nodes)).toEqual({
      b: '10.128.0.0/23 fd01::/64',
      a: '10.128.2.0/23 fd01:0:0:1::/64',
      c: '10.128.4.0/23 fd01:0:0:2::/64',
    });
    expect(cluster.settle()).toEqual([]);
  });

  it('are those that the node names, also outside of the pools, and only those', () => {
    const cluster = new Cluster(['fd01::/48 64', '10.128.0.0/14 23'])
      .node('a', node('a', ['fd05::/64', '10.5.0.0/24']))
      .node('b', node('b', ['10.6.0.0/24']));
    cluster.settle();
    expect([...cluster.nodes.values()]).toEqual(['10.5.0.0/24 fd05::/64', '10.6.0.0/24']);
  });

  it('are allocated around those that others name, whatever their size, and around the join subnets', () => {
    const cluster = new Cluster(['10.0.0.0/21 23'], ['10.0.0.0/24'])
      .node('a', node('a'))
      .node('b', node('b', ['10.0.2.64/26']))
      .node('c', node('c', ['10.0.4.0/22'], { created: '2026-01-01T00:00:00Z' }));
    cluster.settle();
    expect(cluster.nodes.get('a')).toBe(
      '! all 4 subnets of /23 in 10.0.0.0/21 are in use; add a pool to clusterSubnets',
    );
    cluster.node('c', node('c', ['10.0.4.0/23'])).settle();
    expect(cluster.nodes.get('a')).toBe('10.0.6.0/23');
  });

  it('are found behind a huge subnet at once', () => {
    const cluster = new Cluster(['fd00::/16 64']).node('a', node('a', ['fd00::/17'])).node('b', node('b'));
    cluster.settle();
    expect(cluster.nodes.get('b')).toBe('fd00:8000::/64');
  });

  it('come from the next pool when one is used up, and from what becomes free', () => {
    const cluster = new Cluster(['10.0.0.0/23 24', '10.9.0.0/24 24']);
    for (const name of ['a', 'b', 'c', 'd']) cluster.node(name, node(name));
    cluster.settle();
    expect([...cluster.nodes.values()]).toEqual([
      '10.0.0.0/24',
      '10.0.1.0/24',
      '10.9.0.0/24',
      '! all 2 subnets of /24 in 10.0.0.0/23 and all 1 subnets of /24 in 10.9.0.0/24 are in use; add a pool to clusterSubnets',
    ]);
    cluster.node('b', undefined);
    expect(cluster.settle().sort()).toEqual(['b', 'd']);
    expect(cluster.nodes.get('d')).toBe('10.0.1.0/24');
  });

  it('are not used again at once', () => {
    const cluster = new Cluster().node('a', node('a'));
    cluster.settle();
    cluster.node('a', undefined).node('b', node('b')).settle();
    expect(cluster.nodes.get('b')).toBe('10.128.2.0/23');
  });

  it('stay when the node no longer names them, or names what cannot be read', () => {
    const cluster = new Cluster().node('a', node('a', ['10.5.0.0/24'])).node('b', node('b', ['10.6.0.0/24']));
    cluster.settle();
    cluster
      .node('a', node('a'))
      .node('b', node('b', undefined, { problem: { kind: 'Malformed', text: 'odd' } }))
      .node('c', node('c', undefined, { problem: { kind: 'Malformed', text: 'odd' } }));
    cluster.settle();
    expect([...cluster.nodes.values()]).toEqual(['10.5.0.0/24', '10.6.0.0/24 ! odd', '! odd']);
  });

  it.each([
    ['10.5.0.0/30', 'subnet 10.5.0.0/30 is too small'],
    ['fd05::/127', 'subnet fd05::/127 is too small'],
    ['100.64.128.0/24', 'subnet 100.64.128.0/24 overlaps the join subnet 100.64.0.0/16'],
    ['0.0.0.0/0', 'subnet 0.0.0.0/0 overlaps the join subnet 100.64.0.0/16'],
  ])('cannot be %s', (subnet, message) => {
    const cluster = new Cluster().node('a', node('a', [subnet]));
    cluster.settle();
    expect(cluster.nodes.get('a')).toContain(`! ${message}`);
    cluster.node('a', node('a', ['10.5.0.0/29'])).settle();
    cluster.node('a', node('a', [subnet])).settle();
    expect(cluster.nodes.get('a')).toContain(`10.5.0.0/29 ! ${message}`);
  });

  it('says when pools make too small subnets, and when there is no pool', () => {
    const small = new Cluster(['10.0.0.0/24 30']).node('a', node('a'));
    small.settle();
    expect(small.nodes.get('a')).toMatch(
      /^! subnet 10.0.0.0\/30 is too small.*lower hostPrefix in clusterSubnets$/,
    );
    const none = new Cluster([]).node('a', node('a'));
    none.settle();
    expect(none.nodes.get('a')).toBe('! there is no pool to take a subnet from; set clusterSubnets');
  });
});

describe('two nodes that want overlapping subnets', () => {
  const loss =
    '! subnet 10.5.0.0/24 overlaps 10.5.0.0/23 of Node b; request another in k8s.ovn.org/node-subnets';

  it('the older has them, then the lower uid', () => {
    const cluster = new Cluster()
      .node('a', node('a', ['10.5.0.0/24']))
      .node('b', node('b', ['10.5.0.0/23'], { created: '2026-01-01T00:00:00Z' }))
      .node('d', node('d', ['10.7.0.0/24'], { uid: '2' }))
      .node('e', node('e', ['10.7.0.0/24'], { uid: '1' }));
    cluster.settle();
    expect(cluster.nodes.get('a')).toBe(loss);
    expect(cluster.nodes.get('b')).toBe('10.5.0.0/23');
    expect(cluster.nodes.get('e')).toBe('10.7.0.0/24');
  });

  it('the holder keeps them; the loser keeps what it had, and gets them when the holder leaves', () => {
    const cluster = new Cluster().node('a', node('a', ['10.4.0.0/24'])).node('b', node('b', ['10.5.0.0/23']));
    cluster.settle();
    cluster.node('a', node('a', ['10.5.0.0/24'], { created: '2026-01-01T00:00:00Z' })).settle();
    expect(cluster.nodes.get('a')).toBe(`10.4.0.0/24 ${loss}`);
    cluster.node('b', undefined).settle();
    expect(cluster.nodes.get('a')).toBe('10.5.0.0/24');
  });

  it('may both hold half of what both want, and keep that', () => {
    const cluster = new Cluster()
      .node('a', node('a', ['10.5.0.0/25']))
      .node('b', node('b', ['10.5.0.128/25']));
    cluster.settle();
    cluster.node('a', node('a', ['10.5.0.0/24'])).settle();
    cluster.node('b', node('b', ['10.5.0.0/24'])).settle();
    const half = 'subnet 10.5.0.0/24 overlaps';
    expect(Object.fromEntries(cluster.nodes)).toEqual({
      a: expect.stringContaining(`10.5.0.0/25 ! ${half} 10.5.0.128/25 of Node b`),
      b: expect.stringContaining(`10.5.0.128/25 ! ${half} 10.5.0.0/25 of Node a`),
    });
  });

  it('may swap', () => {
    const cluster = new Cluster().node('a', node('a', ['10.4.0.0/24'])).node('b', node('b', ['10.5.0.0/24']));
    cluster.settle();
    cluster
      .node('a', node('a', ['10.5.0.0/24']))
      .node('b', node('b', ['10.4.0.0/24']))
      .settle();
    expect([...cluster.nodes.values()]).toEqual(['10.5.0.0/24', '10.4.0.0/24']);
  });
});

describe('recorded subnets', () => {
  const record = { nodes: new Map([['b', [cidr('10.128.0.0/23')]]]), pods: new Map() };

  it('are those of their node, before older ones that request them', () => {
    const cluster = new Cluster()
      .node('a', node('a', ['10.128.0.0/23'], { created: '2026-01-01T00:00:00Z' }))
      .node('b', node('b'));
    cluster.allocations.restore(record);
    cluster.settle();
    expect(cluster.nodes.get('b')).toBe('10.128.0.0/23');
    expect(cluster.nodes.get('a')).toContain('! subnet 10.128.0.0/23 overlaps');
  });

  it('are kept for a node that comes late, but not when there are no others', () => {
    const cluster = new Cluster(['10.128.0.0/22 23']);
    cluster.allocations.restore(record);
    cluster.node('a', node('a')).settle();
    expect(cluster.nodes.get('a')).toBe('10.128.2.0/23');
    cluster.node('c', node('c')).settle();
    expect(cluster.nodes.get('c')).toBe('10.128.0.0/23');
    cluster.node('b', node('b')).settle();
    expect(cluster.nodes.get('b')).toContain('! all 2 subnets of /23 in 10.128.0.0/22 are in use');
  });

  it('do not count when they overlap the join subnets', () => {
    const cluster = new Cluster(['10.0.0.0/16 23'], ['10.128.0.0/16']).node('b', node('b'));
    cluster.allocations.restore(record);
    cluster.settle();
    expect(cluster.nodes.get('b')).toBe('10.0.0.0/23');
  });
});
