import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cidrContains, type Ip, reservedFor } from '../../src/addresses/index.ts';
import type { NodeClaim, PodClaim } from '../../src/allocate/index.ts';
import { Cluster, cidr, ip, node, pod } from '../allocate/support.ts';

/** Small subnets and few names: they fill up, overlap and meet again all the time. */
const POOLS = ['10.0.0.0/26 29', 'fd01::/62 64'];
const NODES = ['n0', 'n1', 'n2'];
const PODS = ['x/a', 'x/b', 'x/c', 'x/d', 'x/e', 'x/f', 'x/g'];

const age = fc.constantFrom('', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z');
const uid = fc.constantFrom('1', '2', '3');
const problem = fc.constantFrom({}, {}, {}, { problem: { kind: 'Malformed', text: 'odd' } });
const subnets = fc.subarray(['10.0.0.0/29', '10.0.0.8/29', '10.0.0.0/28', 'fd01::/64', '10.9.0.0/30'], {
  minLength: 1,
  maxLength: 2,
});
const addresses = fc.subarray(
  ['10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.11', '10.0.0.1', 'fd01::3', 'fd01::4'],
  {
    minLength: 1,
    maxLength: 2,
  },
);
const mac = fc.constantFrom({}, {}, { mac: '02:00:00:00:00:01' }, { mac: '0a:58:0a:00:00:03' });

interface Step {
  readonly node?: readonly [string, NodeClaim | undefined];
  readonly pod?: readonly [string, PodClaim | undefined];
  readonly settle?: true;
}

const anyNode = fc
  .tuple(fc.constantFrom(...NODES), fc.option(subnets, { nil: undefined }), age, uid, problem)
  .map(
    ([name, requested, created, id, broken]) =>
      [name, node(name, requested, { created, uid: id, ...broken })] as const,
  );
const anyPod = fc
  .tuple(
    fc.constantFrom(...PODS),
    fc.constantFrom(...NODES),
    fc.option(addresses, { nil: undefined, freq: 2 }),
    age,
    uid,
    problem,
    mac,
  )
  .map(
    ([name, on, ips, created, id, broken, extra]) =>
      [name, pod(name, on, ips, { created, uid: id, ...broken, ...extra })] as const,
  );
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: anyNode.map(claim => ({ node: claim })) },
  { weight: 1, arbitrary: fc.constantFrom(...NODES).map(name => ({ node: [name, undefined] as const })) },
  { weight: 8, arbitrary: anyPod.map(claim => ({ pod: claim })) },
  { weight: 2, arbitrary: fc.constantFrom(...PODS).map(name => ({ pod: [name, undefined] as const })) },
  { weight: 4, arbitrary: fc.constant({ settle: true as const }) },
);
const history = fc.array(step, { maxLength: 60 });

/** A cluster with the claims as they are now. */
class Story {
  readonly cluster = new Cluster(POOLS);
  readonly nodes = new Map<string, NodeClaim>();
  readonly pods = new Map<string, PodClaim>();

  take({ node: ofNode, pod: ofPod, settle }: Step): void {
    if (ofNode) this.cluster.node(...note(this.nodes, ofNode));
    if (ofPod) this.cluster.pod(...note(this.pods, ofPod));
    if (settle) this.cluster.settle();
  }

  /** Another cluster that is given all claims at once, in the other order. */
  again(prepare: (cluster: Cluster) => void = () => undefined): Cluster {
    const cluster = new Cluster(POOLS);
    prepare(cluster);
    for (const [name, claim] of [...this.pods].reverse()) cluster.pod(name, claim);
    for (const [name, claim] of [...this.nodes].reverse()) cluster.node(name, claim);
    cluster.settle();
    return cluster;
  }
}

function note<C>(
  claims: Map<string, C>,
  change: readonly [string, C | undefined],
): readonly [string, C | undefined] {
  if (change[1] === undefined) claims.delete(change[0]);
  else claims.set(change[0], change[1]);
  return change;
}

const outcome = ({ nodes, pods }: Cluster) => ({
  nodes: Object.fromEntries(nodes),
  pods: Object.fromEntries(pods),
});

/** What must be true of any cluster at any time. */
function checkHoldings({ cluster, nodes, pods }: Story): void {
  expect([...cluster.nodes.keys()].sort()).toEqual([...nodes.keys()].sort());
  expect([...cluster.pods.keys()].sort()).toEqual([...pods.keys()].sort());
  const taken = new Set<Ip['value']>();
  for (const [name, { node: on, ips }] of cluster.record.pods) {
    expect(on).toBe(pods.get(name)?.node);
    const subnetsOfNode = cluster.record.nodes.get(on) ?? [];
    for (const address of ips) {
      expect(taken.has(address.value)).toBe(false);
      taken.add(address.value);
      const subnet = subnetsOfNode.find(candidate => cidrContains(candidate, address));
      expect(subnet && reservedFor(subnet, address)).toBeUndefined();
      expect(subnet).toBeDefined();
    }
  }
  for (const [name, claim] of pods) {
    const said = cluster.pods.get(name) ?? '';
    // Whoever has nothing is told why.
    expect(cluster.record.pods.has(name) || said.startsWith('! ')).toBe(true);
    if (claim.problem === undefined && claim.requested && !said.includes('!')) {
      expect(new Set(cluster.record.pods.get(name)?.ips)).toEqual(new Set(claim.requested.ips));
    }
  }
}

describe('allocations', () => {
  it('never give one address twice, nor one outside of the subnet, nor nothing without a reason', () => {
    fc.assert(
      fc.property(history, steps => {
        const story = new Story();
        for (const each of [...steps, { settle: true as const }]) {
          story.take(each);
          if (each.settle) checkHoldings(story);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never move a pod that keeps its claim, on a node that keeps its subnets', () => {
    fc.assert(
      fc.property(history, fc.array(step, { minLength: 1, maxLength: 6 }), (steps, more) => {
        const story = new Story();
        for (const each of steps) story.take(each);
        story.cluster.settle();
        const before = { nodes: new Map(story.cluster.nodes), pods: new Map(story.cluster.record.pods) };
        const said = new Map(story.cluster.pods);
        const touched = new Set(more.flatMap(({ pod: change }) => (change ? [change[0]] : [])));
        for (const each of more) story.take(each);
        story.cluster.settle();
        for (const [name, holding] of before.pods) {
          const isUntouched =
            !touched.has(name) && before.nodes.get(holding.node) === story.cluster.nodes.get(holding.node);
          // A pod with an error may get what it waits for.
          if (isUntouched && !said.get(name)?.includes('!'))
            expect(story.cluster.record.pods.get(name)).toEqual(holding);
        }
      }),
      { numRuns: 75 },
    );
  });

  it('are the same after a restart', () => {
    fc.assert(
      fc.property(history, steps => {
        const story = new Story();
        for (const each of steps) story.take(each);
        story.cluster.settle();
        const restarted = story.again(cluster => cluster.allocations.restore(story.cluster.record));
        expect(holdings(restarted)).toEqual(holdings(story.cluster));
      }),
      { numRuns: 100 },
    );
  });

  it('are the same for one who knows only what the objects show, whatever they name beside', () => {
    fc.assert(
      fc.property(history, fc.func(fc.boolean()), (steps, runs) => {
        const story = new Story();
        for (const each of steps) story.take(each);
        story.cluster.settle();
        const next = new Cluster(POOLS, undefined, { objectsRemember: true });
        for (const [name, claim] of [...story.pods].reverse())
          next.pod(name, shownOn(story, name, claim, runs(name)));
        for (const [name, { problem: _, ...claim }] of [...story.nodes].reverse()) {
          const requested = story.cluster.record.nodes.get(name);
          if (requested) next.node(name, { ...claim, requested });
          else next.node(name, { ...claim, requested: undefined });
        }
        next.settle();
        expect(holdings(next)).toEqual(holdings(story.cluster));
        // Those that have nothing are given what is free, and nobody else loses anything by it.
        next.allocations.startAllocating();
        next.settle();
        expect(holdings(next).pods).toMatchObject(holdings(story.cluster).pods);
      }),
      { numRuns: 30 },
    );
  });

  it('give an excluded address to nobody who does not name it', () => {
    fc.assert(
      fc.property(
        history,
        fc.subarray(['10.0.0.3/32', '10.0.0.8/29', '10.0.0.19/32', 'fd01::/126']),
        (steps, ranges) => {
          const excluded = ranges.map(cidr);
          const cluster = new Cluster(POOLS, undefined, { excluded });
          const named = new Set<Ip['value']>();
          for (const { node: ofNode, pod: ofPod, settle } of steps) {
            if (ofNode) cluster.node(...ofNode);
            if (ofPod) cluster.pod(...ofPod);
            for (const one of ofPod?.[1]?.requested?.ips ?? []) named.add(one.value);
            if (settle) cluster.settle();
          }
          cluster.settle();
          const given = [...cluster.record.pods.values()].flatMap(({ ips }) => ips);
          const wrong = given.filter(
            one => !named.has(one.value) && excluded.some(range => cidrContains(range, one)),
          );
          expect(wrong).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('do not depend on history where everybody names something of its own', () => {
    // Permutations of the same names: all the time somebody wants what somebody else still has.
    const own = fc
      .tuple(
        fc.shuffledSubarray(['10.0.0.0/28', '10.0.0.16/28', '10.0.0.32/28'], { minLength: 3 }),
        fc.array(fc.constantFrom(0, 1, 2), { minLength: 7, maxLength: 7 }),
        fc.shuffledSubarray([3, 4, 5, 6, 7, 8, 9], { minLength: 7 }),
      )
      .map(([shuffled, on, hosts]) => [
        ...NODES.map((name, i) => ({ node: [name, node(name, [shuffled[i] ?? ''])] as const })),
        ...PODS.map((name, i) => {
          const subnet = cidr(shuffled[on[i] ?? 0] ?? '').ip;
          const address = ip(`10.0.0.${(Number(subnet.value) & 255) + (hosts[i] ?? 0)}`);
          const claim: PodClaim = { ...pod(name, `n${on[i]}`), requested: { ips: [address] } };
          return { pod: [name, claim] as const };
        }),
      ]);
    fc.assert(
      fc.property(
        history,
        fc.array(own, { minLength: 1, maxLength: 3 }),
        fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
        (steps, targets, settles) => {
          const story = new Story();
          for (const each of steps) story.take(each);
          for (const target of targets) {
            for (const [i, each] of target.entries()) {
              story.take(each);
              if (settles[i]) story.take({ settle: true });
            }
          }
          story.cluster.settle();
          expect(outcome(story.cluster)).toEqual(outcome(story.again()));
          expect([...story.cluster.pods.values()].filter(said => said.includes('!'))).toEqual([]);
        },
      ),
      { numRuns: 75 },
    );
  });
});

/** Who has what; a restarted cluster may name another of several who are in the way. */
function holdings({ record }: Cluster) {
  return { nodes: Object.fromEntries(record.nodes), pods: Object.fromEntries(record.pods) };
}

/** The pod as its object shows what it has been given; one that runs may name anything. */
function shownOn(story: Story, name: string, claim: PodClaim, runs: boolean): PodClaim {
  const { problem: _, requested, ...rest } = claim;
  const held = story.cluster.record.pods.get(name);
  if (!held) return { ...rest, requested: undefined };
  if (runs && held.mac === undefined) return { ...rest, requested, running: held.ips };
  const mac = held.mac === undefined ? {} : { mac: held.mac };
  return { ...rest, requested: { ips: held.ips, ...mac } };
}
