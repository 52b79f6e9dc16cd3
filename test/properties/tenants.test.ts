import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeClaim, PodClaim } from '../../src/allocate/index.ts';
import { Cluster, node, pod } from '../allocate/support.ts';

/** As many subnets as nodes: whoever takes a wrong one takes somebody's. */
const POOLS = ['10.0.0.0/27 29'];
const NODES = ['a', 'b', 'c', 'd'];
const PODS = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6'];

type Step =
  | { readonly do: 'node' | 'drop-node' | 'run' | 'drop-pod'; readonly name: string }
  | { readonly do: 'name'; readonly name: string; readonly subnet: string }
  | { readonly do: 'pod'; readonly name: string; readonly node: string; readonly ip: string | undefined };

const ofNode = { name: fc.constantFrom(...NODES) };
const ofPod = { name: fc.constantFrom(...PODS) };
const ip = fc.option(fc.constantFrom('10.0.0.3', '10.0.0.4', '10.0.0.11', '10.0.0.19'), {
  nil: undefined,
  freq: 2,
});
/** Of the pools: that others are found again is not promised. */
const subnet = fc.constantFrom('10.0.0.0/29', '10.0.0.8/29', '10.0.0.16/29', '10.0.0.24/29');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('node' as const), ...ofNode }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop-node' as const), ...ofNode }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('name' as const), ...ofNode, subnet }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('pod' as const), ...ofPod, node: ofNode.name, ip }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('run' as const), ...ofPod }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop-pod' as const), ...ofPod }) },
);

/** A leader, and the objects as they are now; not all show what they were given, as writes fail. */
class Story {
  readonly cluster = new Cluster(POOLS, undefined, { objectsRemember: true });
  readonly nodes = new Map<string, NodeClaim>();
  readonly pods = new Map<string, PodClaim>();

  constructor() {
    this.cluster.allocations.startAllocating();
  }

  take(next: Step): void {
    const { name } = next;
    if (next.do === 'drop-node') this.#node(name, undefined);
    else if (next.do === 'node') this.#node(name, this.nodes.get(name) ?? node(name));
    else if (next.do === 'name') this.#node(name, node(name, [next.subnet]));
    else if (next.do === 'drop-pod') this.#pod(name, undefined);
    else if (next.do === 'pod' && !this.pods.has(name))
      this.#pod(name, pod(name, next.node, next.ip === undefined ? undefined : [next.ip]));
    else if (next.do === 'run') this.#run(name);
    this.cluster.settle();
  }

  /** Another leader that learns all of it from the objects, Nodes and Pods in this order. */
  again(order: readonly ('nodes' | 'pods')[]): Cluster {
    const next = new Cluster(POOLS, undefined, { objectsRemember: true });
    for (const kind of order) {
      if (kind === 'nodes') for (const [name, claim] of this.nodes) next.node(name, claim);
      else for (const [name, claim] of this.pods) next.pod(name, claim);
      next.settle();
    }
    next.allocations.startAllocating();
    next.settle();
    return next;
  }

  /** As the kubelet does: a pod runs with what it was given, from then on and whatever comes. */
  #run(name: string): void {
    const claim = this.pods.get(name);
    const ips = this.cluster.record.pods.get(name)?.ips;
    if (claim && ips && !claim.running) this.#pod(name, { ...claim, running: ips });
  }

  #node(name: string, claim: NodeClaim | undefined): void {
    if (claim) this.nodes.set(name, claim);
    else this.nodes.delete(name);
    this.cluster.node(name, claim);
  }

  #pod(name: string, claim: PodClaim | undefined): void {
    if (claim) this.pods.set(name, claim);
    else this.pods.delete(name);
    this.cluster.pod(name, claim);
  }
}

/** The running pods whose Node is there, with what they run with. */
function running({ pods, nodes }: Story): readonly (readonly [string, PodClaim['running']])[] {
  return [...pods].flatMap(([name, { node: on, running: ips }]) =>
    ips && nodes.has(on) ? [[name, ips] as const] : [],
  );
}

function given({ record }: Cluster, story: Story): readonly unknown[] {
  return running(story).map(([name]) => [name, record.pods.get(name)?.ips]);
}

describe('a pod that runs', () => {
  it('has its address as long as its Node is there, whatever Nodes and Pods come, go and name', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), steps => {
        const story = new Story();
        for (const next of steps) {
          story.take(next);
          expect(given(story.cluster, story)).toEqual(running(story));
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each<['nodes' | 'pods', 'nodes' | 'pods']>([
    ['nodes', 'pods'],
    ['pods', 'nodes'],
  ])('has it from a master that starts, too, which learns of %s before %s', (...order) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), steps => {
        const story = new Story();
        for (const next of steps) story.take(next);
        expect(given(story.again(order), story)).toEqual(running(story));
      }),
      { numRuns: 20 },
    );
  });
});
