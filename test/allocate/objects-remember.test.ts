import { describe, expect, it } from '@jest/globals';
import type { ClusterAllocations, PodHolding } from '../../src/allocate/index.ts';
import { Cluster, ip, node, pod } from './support.ts';

/** Allocations that objects remember, as with an API server; one node with room. */
const cluster = () => {
  const made = new Cluster(['10.0.0.0/16 24'], undefined, { objectsRemember: true });
  return made.node('a', node('a', ['10.0.0.0/24']));
};
const running = (...ips: readonly string[]) => ({ running: ips.map(ip) });
const recorded = (
  pods: Readonly<Record<string, PodHolding>>,
): Parameters<ClusterAllocations['restore']>[0] => ({
  nodes: new Map(),
  pods: new Map(Object.entries(pods)),
});
const at = (address: string, mac?: string): PodHolding => ({ node: 'a', ips: [ip(address)], mac });
const pods = (made: Cluster) => {
  made.settle();
  return Object.fromEntries(made.pods);
};

describe('where objects remember their addresses', () => {
  it('nothing is given away before it is time, and then to those that name nothing', () => {
    const made = cluster()
      .pod('x/new', pod('x/new', 'a'))
      .pod('x/old', pod('x/old', 'a', ['10.0.0.3']));
    expect(pods(made.node('b', node('b')))).toEqual({ 'x/new': '', 'x/old': '10.0.0.3' });
    expect(made.nodes.get('b')).toBe('');
    made.allocations.startAllocating();
    expect(pods(made)).toEqual({ 'x/new': '10.0.0.4', 'x/old': '10.0.0.3' });
    expect(made.nodes.get('b')).toBe('10.0.1.0/24');
  });

  it('a pod that runs with an address has it, whoever older names it', () => {
    const made = cluster().pod('x/old', pod('x/old', 'a', ['10.0.0.3'], { created: '2000-01-01T00:00:00Z' }));
    made.pod(
      'x/runs',
      pod('x/runs', 'a', ['10.0.0.3'], { created: '2026-01-01T00:00:00Z', ...running('10.0.0.3') }),
    );
    expect(pods(made)).toEqual({
      'x/old':
        '! address 10.0.0.3 is taken by Pod x/runs; request another in k8s.ovn.org/pod-networks, or delete Pod x/runs',
      'x/runs': '10.0.0.3',
    });
  });

  it.each<[string, readonly string[] | undefined, string | RegExp]>([
    ['that names it is refused', ['10.0.0.3'], /^! address 10.0.0.3 is taken by Pod x\/runs/],
    ['that was given it is given another', undefined, '10.0.0.5'],
  ])('a pod gets back what it runs with, and one that does not run and %s', (_, names, other) => {
    const made = cluster();
    made.allocations.startAllocating();
    made.pod('x/other', pod('x/other', 'a', names, { created: '2000-01-01T00:00:00Z' }));
    expect(pods(made.pod('x/runs', pod('x/runs', 'a')))).toEqual({
      'x/other': '10.0.0.3',
      'x/runs': '10.0.0.4',
    });
    made.pod('x/runs', pod('x/runs', 'a', ['10.0.0.4'], running('10.0.0.3')));
    expect(pods(made)).toEqual({
      'x/other': expect.stringMatching(other),
      'x/runs': expect.stringMatching(/^10.0.0.3 ! .* names 10.0.0.4, but the pod runs with 10.0.0.3/),
    });
  });

  it('a pod takes what it runs with from none that runs, and nothing that is not of its node', () => {
    const made = cluster()
      .pod('x/first', pod('x/first', 'a', undefined, running('10.0.0.3')))
      .node('b', node('b', ['10.0.1.0/24']))
      .pod('x/b', pod('x/b', 'b', ['10.0.1.3']));
    made.settle();
    made.pod('x/second', pod('x/second', 'a', undefined, running('10.0.0.3')));
    made.pod('x/third', pod('x/third', 'a', ['10.0.0.4'], running('10.0.0.4')));
    made.settle();
    made.pod('x/third', pod('x/third', 'a', ['10.0.0.4'], running('10.0.1.3')));
    expect(pods(made)).toEqual({
      'x/b': '10.0.1.3',
      'x/first': '10.0.0.3',
      'x/second': expect.stringContaining('! address 10.0.0.3 is taken by Pod x/first'),
      'x/third': expect.stringContaining('10.0.0.4 ! address 10.0.1.3 is outside'),
    });
  });

  it('a pod whose status tells of one family only takes the other one from none that names it', () => {
    const made = new Cluster(['10.0.0.0/16 24', 'fd01::/48 64'], undefined, { objectsRemember: true });
    made
      .node('a', node('a', ['10.0.0.0/24', 'fd01::/64']))
      .pod('x/q', pod('x/q', 'a', ['10.0.0.8', 'fd01::7']));
    made.settle();
    made.pod('x/p', pod('x/p', 'a', ['10.0.0.7', 'fd01::7'], running('10.0.0.7')));
    expect(pods(made)).toMatchObject({ 'x/q': '10.0.0.8 fd01::7' });
  });

  it('a pod that names an address has it before one of which only the rows say so', () => {
    const made = cluster().pod('x/row', pod('x/row', 'a', undefined, { created: '2000-01-01T00:00:00Z' }));
    made.allocations.restore(recorded({ 'x/row': at('10.0.0.3') }));
    made.pod('x/names', pod('x/names', 'a', ['10.0.0.3']));
    made.allocations.startAllocating();
    expect(pods(made)).toEqual({ 'x/names': '10.0.0.3', 'x/row': '10.0.0.4' });
  });

  describe('of two that name an address, neither of which runs yet,', () => {
    const two = () =>
      cluster()
        .pod('x/row', pod('x/row', 'a', ['10.0.0.3'], { created: '2026-01-01T00:00:00Z' }))
        .pod('x/old', pod('x/old', 'a', ['10.0.0.3'], { created: '2000-01-01T00:00:00Z' }));
    const had = recorded({ 'x/row': at('10.0.0.3') });

    it.each([false, true])(
      'that one has it of which the rows say so; they were known before: %s',
      wasKnown => {
        const made = two();
        if (wasKnown) expect(pods(made)).toMatchObject({ 'x/old': '10.0.0.3' });
        made.allocations.restore(had);
        made.allocations.startAllocating();
        expect(pods(made)).toEqual({
          'x/old': expect.stringContaining('! address 10.0.0.3 is taken by Pod x/row'),
          'x/row': '10.0.0.3',
        });
      },
    );

    it('the other one has what the rows say of it', () => {
      const made = two();
      made.settle();
      made.allocations.restore(recorded({ 'x/row': at('10.0.0.3'), 'x/old': at('10.0.0.4') }));
      made.allocations.startAllocating();
      expect(pods(made)).toEqual({
        'x/old': expect.stringContaining('10.0.0.4 ! address 10.0.0.3 is taken by Pod x/row'),
        'x/row': '10.0.0.3',
      });
    });

    it('the rows take it from none that runs, nor from one that they know, too', () => {
      const runs = two().pod('x/old', pod('x/old', 'a', ['10.0.0.3'], running('10.0.0.3')));
      const known = two();
      for (const made of [runs, known]) made.settle();
      runs.allocations.restore(had);
      known.allocations.restore(recorded({ 'x/row': at('10.0.0.3'), 'x/old': at('10.0.0.3') }));
      for (const made of [runs, known]) {
        made.allocations.startAllocating();
        expect(pods(made)).toMatchObject({ 'x/old': '10.0.0.3' });
      }
    });
  });

  it('the rows say what nobody else does, also to a master that knows the objects already', () => {
    const made = cluster().pod('x/p', pod('x/p', 'a')).pod('x/q', pod('x/q', 'a'));
    made.settle();
    made.allocations.restore(recorded({ 'x/q': at('10.0.0.3'), 'x/gone': at('10.0.0.4') }));
    made.allocations.startAllocating();
    expect(pods(made)).toEqual({ 'x/p': '10.0.0.5', 'x/q': '10.0.0.3' });
  });

  it('the rows say nothing of those that have theirs already', () => {
    const made = cluster()
      .pod('x/p', pod('x/p', 'a', ['10.0.0.9']))
      .pod('x/q', pod('x/q', 'a'));
    made.settle();
    made.allocations.restore(recorded({ 'x/p': at('10.0.0.10') }));
    made.allocations.startAllocating();
    expect(pods(made)).toEqual({ 'x/p': '10.0.0.9', 'x/q': '10.0.0.10' });
  });

  it('a running pod keeps its address and its MAC, whatever its annotation says now', () => {
    const mac = '02:00:00:00:00:07';
    const made = cluster().pod('x/p', pod('x/p', 'a', ['10.0.0.7'], { mac }));
    expect(pods(made)).toEqual({ 'x/p': `10.0.0.7 ${mac}` });
    const edited = pod('x/p', 'a', ['10.0.0.9'], running('10.0.0.7'));
    const said = `10.0.0.7 ${mac} ! k8s.ovn.org/pod-networks names 10.0.0.9, but the pod runs with 10.0.0.7 and keeps it; delete the pod to give it another address`;
    expect(pods(made.pod('x/p', edited))).toEqual({ 'x/p': said });
    expect(pods(made.pod('x/p', pod('x/p', 'a', undefined, running('10.0.0.7'))))).toEqual({
      'x/p': `10.0.0.7 ${mac}`,
    });
    const again = cluster().pod('x/p', edited);
    again.allocations.restore(recorded({ 'x/p': at('10.0.0.7', mac) }));
    expect(pods(again)).toEqual({ 'x/p': said });
  });

  it('a pod that runs with one family is not given the other one behind its back', () => {
    const made = new Cluster(['10.0.0.0/16 24', 'fd01::/48 64'], undefined, { objectsRemember: true });
    made.node('a', node('a')).pod('x/p', pod('x/p', 'a', undefined, running('10.0.0.7')));
    made.allocations.startAllocating();
    expect(pods(made)).toEqual({ 'x/p': '10.0.0.7' });
  });

  it('a status that tells of one family only takes the other one from nobody', () => {
    const made = new Cluster(['10.0.0.0/16 24', 'fd01::/48 64'], undefined, { objectsRemember: true });
    made.node('a', node('a')).pod('x/p', pod('x/p', 'a', ['10.0.0.7', 'fd01::7'], running('10.0.0.7')));
    made.allocations.startAllocating();
    expect(pods(made)).toEqual({ 'x/p': '10.0.0.7 fd01::7' });
  });

  it('who stops leading forgets what no object shows, and learns it from them', () => {
    const made = cluster()
      .pod('x/p', pod('x/p', 'a'))
      .pod('x/q', pod('x/q', 'a', ['10.0.0.9']));
    made.allocations.startAllocating();
    expect(pods(made)).toEqual({ 'x/p': '10.0.0.10', 'x/q': '10.0.0.9' });
    made.allocations.stopAllocating();
    expect(pods(made)).toEqual({ 'x/p': '', 'x/q': '10.0.0.9' });
    made.pod('x/r', pod('x/r', 'a', ['10.0.0.10'])).pod('x/p', pod('x/p', 'a', ['10.0.0.11']));
    expect(pods(made)).toEqual({ 'x/p': '10.0.0.11', 'x/q': '10.0.0.9', 'x/r': '10.0.0.10' });
  });

  it('a node has the subnet that it names before an older one of which only the rows say so', () => {
    const made = new Cluster(['10.0.0.0/16 24'], undefined, { objectsRemember: true });
    const subnet = node('n', ['10.0.0.0/24']).requested ?? [];
    made.allocations.restore({ nodes: new Map([['row', subnet]]), pods: new Map() });
    made
      .node('row', node('row', undefined, { created: '2000-01-01T00:00:00Z' }))
      .node('names', node('names', ['10.0.0.0/24']));
    made.allocations.startAllocating();
    made.settle();
    expect(Object.fromEntries(made.nodes)).toEqual({ names: '10.0.0.0/24', row: '10.0.1.0/24' });
  });

  it.each([false, true])(
    'of two nodes that name a subnet that one has it of which the rows say so; they were known before: %s',
    wasKnown => {
      const made = new Cluster(['10.0.0.0/16 24'], undefined, { objectsRemember: true })
        .node('row', node('row', ['10.0.0.0/24'], { created: '2026-01-01T00:00:00Z' }))
        .node('old', node('old', ['10.0.0.0/23'], { created: '2000-01-01T00:00:00Z' }))
        .pod('x/p', pod('x/p', 'row', ['10.0.0.3'], running('10.0.0.3')));
      if (wasKnown) made.settle();
      const subnets = node('row', ['10.0.0.0/24']).requested ?? [];
      made.allocations.restore({ nodes: new Map([['row', subnets]]), pods: new Map() });
      made.allocations.startAllocating();
      expect(pods(made)).toEqual({ 'x/p': '10.0.0.3' });
      expect(Object.fromEntries(made.nodes)).toEqual({
        old: expect.stringContaining('! subnet 10.0.0.0/23 overlaps 10.0.0.0/24 of Node row'),
        row: '10.0.0.0/24',
      });
    },
  );
});
