import { beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster, ip, node, pod } from './support.ts';

let cluster: Cluster;
beforeEach(() => {
  cluster = new Cluster()
    .node('n4', node('n4', ['10.0.4.0/24']))
    .node('n46', node('n46', ['10.0.6.0/24', 'fd06::/64']))
    .node('n6', node('n6', ['fd00::/64']))
    .node('small', node('small', ['10.0.9.0/29']));
  cluster.settle();
});

const said = (name: string) => cluster.pods.get(name);

describe("a pod's addresses", () => {
  it('are one of each family of its node, behind gateway and management port', () => {
    cluster.pod('x/a', pod('x/a', 'n4')).pod('x/b', pod('x/b', 'n46')).pod('x/c', pod('x/c', 'n6'));
    cluster.settle();
    expect(Object.fromEntries(cluster.pods)).toEqual({
      'x/a': '10.0.4.3',
      'x/b': '10.0.6.3 fd06::3',
      'x/c': 'fd00::3',
    });
    expect(cluster.settle()).toEqual([]);
  });

  it('are those that it names, in those families, with the MAC that it names', () => {
    cluster
      .pod('x/a', pod('x/a', 'n46', ['fd06::beef', '10.0.6.9']))
      .pod('x/b', pod('x/b', 'n46', ['fd06::7'], { mac: '02:00:00:00:00:01' }));
    cluster.settle();
    expect([said('x/a'), said('x/b')]).toEqual(['10.0.6.9 fd06::beef', 'fd06::7 02:00:00:00:00:01']);
  });

  it('are allocated around those that others name, in the same breath', () => {
    cluster
      .pod('x/a', pod('x/a', 'n4', undefined, { created: '2026-01-01T00:00:00Z' }))
      .pod('x/b', pod('x/b', 'n4', ['10.0.4.3']));
    cluster.settle();
    expect([said('x/a'), said('x/b')]).toEqual(['10.0.4.4', '10.0.4.3']);
  });

  it('are not used again at once', () => {
    cluster.pod('x/a', pod('x/a', 'n4')).settle();
    cluster.pod('x/a', undefined).pod('x/b', pod('x/b', 'n4'));
    expect(cluster.settle().sort()).toEqual(['x/a', 'x/b']);
    expect(said('x/b')).toBe('10.0.4.4');
  });

  it('run out, with a message, and serve those that wait when one is given back', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) cluster.pod(name, pod(name, 'small'));
    cluster.settle();
    expect([...cluster.pods.values()]).toEqual([
      '10.0.9.3',
      '10.0.9.4',
      '10.0.9.5',
      '10.0.9.6',
      '! subnet 10.0.9.0/29 of node small is full: all 4 addresses for pods are in use; move pods to other nodes',
    ]);
    cluster.pod('b', undefined);
    expect(cluster.settle().sort()).toEqual(['b', 'e']);
    expect(said('e')).toBe('10.0.9.4');
    cluster.pod('f', pod('f', 'small')).settle();
    cluster.pod('a', pod('a', 'n4')).settle();
    expect(said('f')).toBe('10.0.9.3');
  });

  it('that run out are not waited for by a pod that went elsewhere', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) cluster.pod(name, pod(name, 'small'));
    cluster.settle();
    cluster.pod('e', pod('e', 'nowhere')).settle();
    cluster.pod('a', undefined);
    expect(cluster.settle()).toEqual(['a']);
    expect(said('e')).toBe('! node nowhere does not exist');
  });

  it('of one family are given back by a pod that wants only the other', () => {
    cluster.node('tight', node('tight', ['10.0.10.0/29', 'fd10::/64'])).settle();
    for (const name of ['a', 'b', 'c', 'd', 'e']) cluster.pod(name, pod(name, 'tight'));
    cluster.settle();
    expect(said('e')).toContain('! subnet 10.0.10.0/29 of node tight is full');
    cluster.pod('a', pod('a', 'tight', ['fd10::3'])).settle();
    expect([said('a'), said('e')]).toEqual(['fd10::3', '10.0.10.3 fd10::7']);
  });

  it('stay when the pod no longer names them, or names what cannot be read', () => {
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.77']))
      .pod('b', pod('b', 'n4', ['10.0.4.78'], { mac: '02:00:00:00:00:01' }));
    cluster.settle();
    cluster
      .pod('a', pod('a', 'n4'))
      .pod('b', pod('b', 'n4', undefined, { problem: { kind: 'Malformed', text: 'odd' } }))
      .pod('c', pod('c', 'n4', undefined, { problem: { kind: 'Malformed', text: 'odd' } }));
    cluster.settle();
    expect([said('a'), said('b'), said('c')]).toEqual([
      '10.0.4.77',
      '10.0.4.78 02:00:00:00:00:01 ! odd',
      '! odd',
    ]);
  });

  it('follow the pod to another node, and the node to other subnets', () => {
    cluster.pod('a', pod('a', 'n4')).pod('b', pod('b', 'n4')).pod('c', pod('c', 'n6')).settle();
    cluster.pod('b', pod('b', 'n6'));
    expect(cluster.settle()).toEqual(['b']);
    expect(said('b')).toBe('fd00::4');
    cluster.node('n4', node('n4', ['10.0.4.0/24', 'fd04::/64']));
    expect(cluster.settle()).toEqual(['n4', 'a']);
    expect(said('a')).toBe('10.0.4.3 fd04::3');
    cluster.node('n4', node('n4', ['10.0.44.0/24', 'fd04::/64'])).settle();
    expect(said('a')).toBe('10.0.44.3 fd04::3');
  });

  it('of the one family stay where a node gains or loses the other', () => {
    cluster.pod('a', pod('a', 'n4')).pod('b', pod('b', 'n4')).settle();
    cluster.pod('a', undefined).settle();
    cluster.node('n4', node('n4', ['10.0.4.0/24', 'fd04::/64'])).settle();
    expect(said('b')).toBe('10.0.4.4 fd04::3');
    cluster.node('n4', node('n4', ['10.0.4.0/24'])).settle();
    expect(said('b')).toBe('10.0.4.4');
    cluster.pod('c', pod('c', 'n4')).settle();
    expect(said('c')).toBe('10.0.4.5');
  });

  it('are given up when the node has no subnet or is gone', () => {
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.9']))
      .pod('b', pod('b', 'nowhere'))
      .settle();
    expect(said('b')).toBe('! node nowhere does not exist');
    cluster.node('n4', undefined).settle();
    expect(said('a')).toBe('! node n4 does not exist');
    cluster.node('n4', node('n4', ['10.0.4.0/31'])).settle();
    expect(said('a')).toBe('! node n4 has no subnet');
    cluster.node('n4', node('n4', ['10.0.4.0/24'])).settle();
    expect(said('a')).toBe('10.0.4.9');
  });

  it.each([
    ['10.0.5.9', 'address 10.0.5.9 is outside of 10.0.6.0/24 or fd06::/64, the subnet of node n46'],
    ['10.0.6.0', 'address 10.0.6.0 is the network address in 10.0.6.0/24'],
    ['10.0.6.1', "address 10.0.6.1 is the node's gateway in 10.0.6.0/24"],
    ['10.0.6.2', "address 10.0.6.2 is the node's management port in 10.0.6.0/24"],
    ['10.0.6.255', 'address 10.0.6.255 is the broadcast address in 10.0.6.0/24'],
    ['fd06::', 'address fd06:: is the network address in fd06::/64'],
    ['fd06::2', "address fd06::2 is the node's management port in fd06::/64"],
  ])('cannot be %s; what the pod had it keeps', (address, message) => {
    cluster
      .pod('new', pod('new', 'n46', [address]))
      .pod('old', pod('old', 'n46', ['10.0.6.9']))
      .settle();
    cluster.pod('old', pod('old', 'n46', [address])).settle();
    expect(said('new')).toBe(
      `! ${message}; request ${address === '10.0.5.9' ? 'one inside' : 'another'} in k8s.ovn.org/pod-networks`,
    );
    expect(said('old')).toContain(`10.0.6.9 ! ${message}`);
  });

  it('are one of each family at most', () => {
    cluster.pod('a', pod('a', 'n4', ['10.0.4.9', '10.0.4.10'])).settle();
    expect(said('a')).toBe(
      '! 10.0.4.9 and 10.0.4.10: a pod has one address of each family at most; request one',
    );
  });
});

describe('two pods that want one address', () => {
  const loss = (who: string) =>
    `! address 10.0.4.9 is taken by Pod ${who}; request another in k8s.ovn.org/pod-networks, or delete Pod ${who}`;

  it('the older has it; a pod without an age is the youngest', () => {
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.9']))
      .pod('b', pod('b', 'n4', ['10.0.4.9'], { created: '2026-01-01T00:00:00Z' }));
    cluster.settle();
    expect([said('a'), said('b')]).toEqual([loss('b'), '10.0.4.9']);
  });

  it('the holder has it, also when it got it by chance', () => {
    cluster.pod('a', pod('a', 'n4')).settle();
    cluster.pod('b', pod('b', 'n4', ['10.0.4.3'], { created: '2026-01-01T00:00:00Z' })).settle();
    expect([said('a'), said('b')]).toEqual(['10.0.4.3', loss('a').replace('10.0.4.9', '10.0.4.3')]);
  });

  it('the loser keeps what it had; when the holder leaves, the oldest that waits gets it', () => {
    for (const name of ['a', 'b', 'c']) cluster.pod(name, pod(name, 'n4', ['10.0.4.9'])).settle();
    cluster.pod('d', pod('d', 'n4', ['10.0.4.50'], { created: '2026-01-01T00:00:00Z' })).settle();
    cluster.pod('d', pod('d', 'n4', ['10.0.4.9'], { created: '2026-01-01T00:00:00Z' })).settle();
    expect(said('d')).toBe(`10.0.4.50 ${loss('a')}`);
    cluster.pod('a', undefined);
    expect(cluster.settle().sort()).toEqual(['a', 'b', 'c', 'd']);
    expect([said('b'), said('c'), said('d')]).toEqual([loss('d'), loss('d'), '10.0.4.9']);
    cluster.pod('d', pod('d', 'n4', ['10.0.4.50'])).settle();
    expect([said('b'), said('c'), said('d')]).toEqual(['10.0.4.9', loss('b'), '10.0.4.50']);
  });

  it('a pod takes all that it names or nothing', () => {
    cluster
      .pod('a', pod('a', 'n46', ['fd06::9']))
      .pod('b', pod('b', 'n46', ['10.0.6.9', 'fd06::9']))
      .settle();
    cluster.pod('c', pod('c', 'n46', ['10.0.6.9'])).settle();
    expect(said('b')).toContain('! address fd06::9 is taken by Pod a');
    expect(said('c')).toBe('10.0.6.9');
  });

  it('may swap, at once or one after the other', () => {
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.8']))
      .pod('b', pod('b', 'n4', ['10.0.4.9']))
      .settle();
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.9']))
      .pod('b', pod('b', 'n4', ['10.0.4.8']))
      .settle();
    expect([said('a'), said('b')]).toEqual(['10.0.4.9', '10.0.4.8']);
    cluster.pod('a', pod('a', 'n4', ['10.0.4.8'])).settle();
    expect(said('a')).toContain('10.0.4.9 ! address 10.0.4.8 is taken by Pod b');
    cluster.pod('b', pod('b', 'n4', ['10.0.4.9'])).settle();
    expect([said('a'), said('b')]).toEqual(['10.0.4.8', '10.0.4.9']);
  });
});

describe('a MAC', () => {
  const mac = '02:00:00:00:00:01';

  it('is unique on its node, not in the cluster', () => {
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.8'], { mac }))
      .pod('b', pod('b', 'n4', ['10.0.4.9'], { mac }))
      .pod('c', pod('c', 'n46', ['10.0.6.9'], { mac }))
      .settle();
    expect(said('b')).toContain(`! MAC ${mac} on node n4 is taken by Pod a`);
    expect(said('c')).toBe(`10.0.6.9 ${mac}`);
  });

  it('cannot be one that follows from the address of another pod, of the gateway or of the management port', () => {
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.8']))
      .pod('b', pod('b', 'n4', ['10.0.4.9'], { mac: '0a:58:0a:00:04:08' }))
      .pod('c', pod('c', 'n4', ['10.0.4.10'], { mac: '0a:58:0a:00:04:01' }))
      .pod('d', pod('d', 'n4', ['10.0.4.11'], { mac: '0a:58:0a:00:04:02' }))
      .pod('e', pod('e', 'n4', ['10.0.4.12'], { mac: '0a:58:0a:00:04:03' }))
      .pod('f', pod('f', 'n4'))
      .settle();
    expect(said('b')).toContain('! MAC 0a:58:0a:00:04:08 on node n4 is taken by Pod a');
    expect(said('c')).toContain("! MAC 0a:58:0a:00:04:01 is that of node n4's gateway or management port");
    expect(said('d')).toContain("! MAC 0a:58:0a:00:04:02 is that of node n4's gateway or management port");
    expect(said('f')).toBe('10.0.4.4');
  });
});

describe('recorded addresses', () => {
  const restored = (...entries: [string, string, string, (string | undefined)?][]) => {
    cluster.allocations.restore({
      nodes: new Map(),
      pods: new Map(entries.map(([name, on, address, mac]) => [name, { node: on, ips: [ip(address)], mac }])),
    });
  };

  it('are those of their pod, before older ones that request them', () => {
    restored(['b', 'n4', '10.0.4.9', '0a:58:0a:00:04:09']);
    cluster
      .pod('a', pod('a', 'n4', ['10.0.4.9'], { created: '2026-01-01T00:00:00Z' }))
      .pod('b', pod('b', 'n4'))
      .pod('c', pod('c', 'n4'))
      .settle();
    expect(said('a')).toContain('! address 10.0.4.9 is taken by Pod b');
    expect([said('b'), said('c')]).toEqual(['10.0.4.9', '10.0.4.10']);
  });

  it('do not count on another node or outside of the subnets; what is lacking in a family is added', () => {
    restored(
      ['a', 'n46', '10.0.4.9'],
      ['b', 'n4', '10.0.6.9'],
      ['c', 'n46', '10.0.6.9'],
      ['d', 'n4', '10.0.4.1'],
    );
    cluster
      .pod('a', pod('a', 'n4'))
      .pod('b', pod('b', 'n4'))
      .pod('c', pod('c', 'n46'))
      .pod('d', pod('d', 'n4'))
      .settle();
    expect([said('a'), said('b'), said('d')]).toEqual(['10.0.4.3', '10.0.4.4', '10.0.4.5']);
    expect(said('c')).toBe('10.0.6.9 fd06::3');
  });

  it('are kept for a pod that comes late, until that pod is said to be gone or there are no others', () => {
    restored(['late', 'small', '10.0.9.3'], ['gone', 'small', '10.0.9.4']);
    cluster.pod('a', pod('a', 'small')).pod('b', pod('b', 'small')).settle();
    expect([said('a'), said('b')]).toEqual(['10.0.9.5', '10.0.9.6']);
    cluster.pod('gone', undefined).pod('c', pod('c', 'small')).settle();
    expect(said('c')).toBe('10.0.9.4');
    cluster.pod('late', pod('late', 'small')).settle();
    expect(said('late')).toBe('10.0.9.3');
  });
});
