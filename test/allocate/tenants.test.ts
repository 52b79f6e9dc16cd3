import { describe, expect, it } from '@jest/globals';
import type { NodeClaim } from '../../src/allocate/index.ts';
import { Cluster, cidr, ip, node, pod } from './support.ts';

const POOLS = ['10.0.0.0/16 24'];

/** Allocations that objects remember, and a master that leads. */
const leading = (pools: readonly string[] = POOLS) => {
  const made = new Cluster(pools, undefined, { objectsRemember: true });
  made.allocations.startAllocating();
  return made;
};
/** A pod that runs on a node with addresses that nothing but its status tells. */
const runs = (name: string, on: string, ...ips: readonly string[]) =>
  pod(name, on, undefined, { running: ips.map(ip) });
const nodes = (made: Cluster) => {
  made.settle();
  return Object.fromEntries(made.nodes);
};
const LEFT =
  '! the Node names 10.0.9.0/24, but pods run in its subnet 10.0.3.0/24 and it keeps that; drain the node, then name another in k8s.ovn.org/node-subnets';
const STRAY =
  '! subnet 10.0.3.0/24 overlaps 10.0.3.0/24, in which pods of node a run; request another in k8s.ovn.org/node-subnets, or delete those pods';

describe('a node that registers again while its pods run', () => {
  const gone = () => {
    const made = leading()
      .node('a', node('a', ['10.0.3.0/24']))
      .pod('x/p', runs('x/p', 'a', '10.0.3.7'));
    made.settle();
    expect(made.node('a', undefined).settle()).toEqual(['a', 'x/p']);
    return made;
  };

  it.each<[string, NodeClaim, string]>([
    ['names nothing', node('a'), '10.0.3.0/24'],
    ['names another subnet', node('a', ['10.0.9.0/24']), `10.0.3.0/24 ${LEFT}`],
    [
      'names what cannot be read',
      node('a', undefined, { problem: { kind: 'Malformed', text: 'odd' } }),
      '10.0.3.0/24 ! odd',
    ],
  ])('has the subnet that they run in, where it %s', (_, again, has) => {
    expect(nodes(gone().node('a', again))).toEqual({ a: has });
  });

  it('and the pods have their addresses', () => {
    const made = gone().node('a', node('a'));
    made.settle();
    expect(made.pods.get('x/p')).toBe('10.0.3.7');
  });

  it('has another one where they have gone meanwhile', () => {
    const made = gone().pod('x/p', undefined).node('a', node('a'));
    expect(nodes(made)).toEqual({ a: '10.0.4.0/24' });
  });

  it('finds it in the first family and is given the other one', () => {
    const made = leading(['10.0.0.0/16 24', 'fd01::/48 64']).pod('x/p', runs('x/p', 'a', '10.0.3.7'));
    expect(nodes(made.node('a', node('a')))).toEqual({ a: '10.0.3.0/24 fd01::/64' });
  });

  it('has the one that most run in, then the first', () => {
    const made = leading()
      .pod('x/p', runs('x/p', 'a', '10.0.1.7'))
      .pod('x/q', runs('x/q', 'a', '10.0.2.7'));
    made.pod('x/r', runs('x/r', 'a', '10.0.2.8')).pod('x/s', runs('x/s', 'b', '10.0.5.7'));
    made.pod('x/t', runs('x/t', 'b', '10.0.4.7'));
    expect(nodes(made.node('a', node('a')).node('b', node('b')))).toEqual({
      a: '10.0.2.0/24',
      b: '10.0.4.0/24',
    });
  });

  it('has what is free where they run outside of the pools, or in a join subnet', () => {
    const made = new Cluster(['10.0.0.0/16 24'], ['10.0.3.0/24'], { objectsRemember: true });
    made.allocations.startAllocating();
    made.pod('x/p', runs('x/p', 'a', '10.0.3.7')).pod('x/q', runs('x/q', 'b', '192.0.2.7'));
    expect(nodes(made.node('a', node('a')).node('b', node('b')))).toEqual({
      a: '10.0.0.0/24',
      b: '10.0.1.0/24',
    });
  });

  it('finds nobody in its subnet who was given it meanwhile, or names it', () => {
    const made = leading(['10.0.0.0/23 24']).pod('x/p', runs('x/p', 'a', '10.0.0.7'));
    made
      .node('b', node('b'))
      .node('c', node('c'))
      .node('d', node('d', ['10.0.0.0/25']));
    expect(nodes(made)).toEqual({
      b: '10.0.1.0/24',
      c: expect.stringContaining('! all 2 subnets'),
      d: '! subnet 10.0.0.0/25 overlaps 10.0.0.0/24, in which pods of node a run; request another in k8s.ovn.org/node-subnets, or delete those pods',
    });
    expect(nodes(made.node('a', node('a')))).toMatchObject({ a: '10.0.0.0/24' });
  });

  it('leaves it to who names it once they have gone', () => {
    const made = gone().node('b', node('b', ['10.0.3.0/24']));
    expect(nodes(made)).toEqual({ b: STRAY });
    expect(nodes(made.pod('x/p', undefined))).toEqual({ b: '10.0.3.0/24' });
  });

  it.each([false, true])(
    'is the same for a master that starts, also where the Nodes are known first: %s',
    nodesFirst => {
      const made = new Cluster(POOLS, undefined, { objectsRemember: true });
      made.node('b', node('b', ['10.0.3.0/24'], { created: '2000-01-01T00:00:00Z' }));
      made.node('a', node('a', ['10.0.9.0/24']));
      const subnets = new Map([['b', [cidr('10.0.3.0/24')]]]);
      made.allocations.restore({ nodes: subnets, pods: new Map() });
      if (nodesFirst) made.settle();
      made.pod('x/p', runs('x/p', 'a', '10.0.3.7'));
      if (nodesFirst) made.settle();
      made.allocations.startAllocating();
      const refused = expect.stringMatching(/^! subnet 10.0.3.0\/24 overlaps 10.0.3.0\/24.* node a/i);
      expect(nodes(made)).toEqual({ a: `10.0.3.0/24 ${LEFT}`, b: refused });
    },
  );

  it('has all that is recorded of it, but for what pods of another run in', () => {
    const made = leading(['10.0.0.0/16 24', 'fd01::/48 64']);
    const subnets = new Map([
      ['a', [cidr('10.0.3.0/24'), cidr('fd01:0:0:5::/64')]],
      ['b', [cidr('10.0.4.0/24')]],
      ['d', [cidr('10.5.0.0/24')]],
    ]);
    made.allocations.restore({ nodes: subnets, pods: new Map() });
    made.pod('x/p', runs('x/p', 'a', '10.0.3.7')).pod('x/q', runs('x/q', 'c', '10.0.4.7'));
    made.pod('x/r', runs('x/r', 'd', '10.5.0.7'));
    made
      .node('a', node('a'))
      .node('b', node('b'))
      .node('d', node('d', ['10.0.9.0/24']));
    expect(nodes(made)).toEqual({
      a: '10.0.3.0/24 fd01:0:0:5::/64',
      b: '10.0.5.0/24 fd01:0:0:6::/64',
      d: expect.stringMatching(/^10.5.0.0\/24 ! the Node names 10.0.9.0\/24/),
    });
  });

  it('has what it names where they run in that, however large it is', () => {
    const made = leading().pod('x/p', runs('x/p', 'a', '10.0.3.7'));
    expect(nodes(made.node('a', node('a', ['10.0.3.0/25'])))).toEqual({ a: '10.0.3.0/25' });
  });

  it('has theirs as soon as it is told of them, or who has it leaves', () => {
    const made = leading().node('a', node('a'));
    expect(nodes(made)).toEqual({ a: '10.0.0.0/24' });
    expect(nodes(made.pod('x/p', runs('x/p', 'a', '10.0.3.7')))).toEqual({ a: '10.0.3.0/24' });
    made
      .node('b', node('b', ['10.0.5.0/24']))
      .node('c', node('c'))
      .settle();
    made.pod('x/q', runs('x/q', 'c', '10.0.5.7'));
    expect(nodes(made)).toMatchObject({ b: '10.0.5.0/24', c: '10.0.6.0/24' });
    expect(nodes(made.node('b', undefined).node('c', node('c')))).toMatchObject({ c: '10.0.5.0/24' });
  });

  it('takes nothing that pods of the holder run in', () => {
    const made = new Cluster(POOLS, undefined, { objectsRemember: true });
    made.node('b', node('b', ['10.0.3.0/24'])).pod('x/q', runs('x/q', 'b', '10.0.3.8'));
    made.settle();
    made.pod('x/p', runs('x/p', 'a', '10.0.3.7')).node('a', node('a'));
    made.allocations.startAllocating();
    expect(nodes(made)).toEqual({ a: '10.0.4.0/24', b: '10.0.3.0/24' });
  });
});

describe('a node whose Node is edited while pods run', () => {
  const lived = () => {
    const made = leading()
      .node('a', node('a', ['10.0.3.0/24']))
      .pod('x/p', runs('x/p', 'a', '10.0.3.7'));
    made.settle();
    return made;
  };

  it('keeps its subnet until none runs there any more, and has the new one then', () => {
    const made = lived().node('a', node('a', ['10.0.9.0/24']));
    expect(nodes(made)).toEqual({ a: `10.0.3.0/24 ${LEFT}` });
    expect(made.pods.get('x/p')).toBe('10.0.3.7');
    expect(nodes(made.pod('x/p', undefined))).toEqual({ a: '10.0.9.0/24' });
  });

  it('keeps one outside of the pools, too', () => {
    const made = leading()
      .node('a', node('a', ['10.5.0.0/24']))
      .pod('x/p', runs('x/p', 'a', '10.5.0.7'));
    made.settle();
    expect(nodes(made.node('a', node('a', ['10.0.9.0/24'])))).toEqual({
      a: expect.stringMatching(/^10.5.0.0\/24 ! the Node names 10.0.9.0\/24/),
    });
  });

  it('keeps it where it names none any more', () => {
    expect(nodes(lived().node('a', node('a')))).toEqual({ a: '10.0.3.0/24' });
  });

  it('has the new one in the family that nobody runs in', () => {
    const made = leading(['10.0.0.0/16 24', 'fd01::/48 64'])
      .node('a', node('a', ['10.0.3.0/24', 'fd01::/64']))
      .pod('x/p', runs('x/p', 'a', '10.0.3.7'));
    made.settle();
    made.node('a', node('a', ['10.0.3.0/24', 'fd01:0:0:5::/64']));
    expect(nodes(made)).toEqual({ a: '10.0.3.0/24 fd01:0:0:5::/64' });
  });

  it('moves at once where no status tells that pods run', () => {
    const made = leading()
      .node('a', node('a', ['10.0.3.0/24']))
      .pod('x/p', pod('x/p', 'a', ['10.0.3.7']));
    made.settle();
    expect(nodes(made.node('a', node('a', ['10.0.9.0/24'])))).toEqual({ a: '10.0.9.0/24' });
  });
});
