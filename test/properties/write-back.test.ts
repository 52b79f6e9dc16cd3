import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { objectAt, type Raw } from '../../src/cluster/facts/raw.ts';
import { parseConfig } from '../../src/config/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type Fate, ModelApi } from '../support/model-api.ts';
import { ModelMaster, runningIps, shownIps, shownNetwork } from '../support/model-cluster.ts';

/** Room for three nodes of six pods, so that both do run out. */
const config = parseConfig(
  'clusterSubnets: [{cidr: 10.0.0.0/27, hostPrefix: 29}]\njoinSubnets: [100.64.0.0/29]\nexcludeSubnets: [10.0.0.4]\n',
  'test',
);
const NODES = ['a', 'b', 'c', 'd'];
const PODS = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8'];
const nodePath = (name: string) => `/api/v1/nodes/${name}`;
const podPath = (name: string) => `/api/v1/namespaces/ns/pods/${name}`;

type Step =
  | { readonly do: 'node' | 'drop-node' | 'run' | 'finish' | 'drop-pod' | 'strip'; readonly name: string }
  | { readonly do: 'pod'; readonly name: string; readonly node: string }
  | { readonly do: 'tamper' | 'rename'; readonly name: string; readonly text: string }
  | { readonly do: 'kill' | 'pass' | 'look' }
  | { readonly do: 'fates'; readonly fates: readonly (Fate | undefined)[] };

const fate: fc.Arbitrary<Fate | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.boolean().map(carriedOut => ({ kind: 'lost' as const, carriedOut })),
  fc.constantFrom(409, 429, 500, 503).map(status => ({ kind: 'error' as const, status })),
);
const pod = fc.constantFrom(...PODS);
const addresses = (ip: string) => JSON.stringify({ default: { ip_addresses: [`${ip}/29`] }, blue: { ip } });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('node' as const), name: fc.constantFrom(...NODES) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('drop-node' as const), name: fc.constantFrom(...NODES) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('pod' as const), name: pod, node: fc.constantFrom(...NODES) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('run' as const), name: pod }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('finish' as const, 'drop-pod' as const, 'strip' as const),
      name: pod,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('tamper' as const),
      name: pod,
      text: fc.constantFrom(
        '{',
        '{"blue":{}}',
        ...['10.0.0.3', '10.0.0.5', '10.0.0.11', '10.9.9.9'].map(addresses),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('look' as const, 'pass' as const, 'kill' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('fates' as const), fates: fc.array(fate, { maxLength: 6 }) }),
  },
);

/** Somebody writes subnets to Nodes, or takes them away. */
const rename: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('rename' as const),
  name: fc.constantFrom(...NODES),
  text: fc.constantFrom('{', '{}', ...[0, 8, 16, 24].map(n => JSON.stringify({ default: `10.0.0.${n}/29` }))),
});

const history = fc.array(step, { minLength: 20, maxLength: 70, size: 'max' });

const edited = fc.array(fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: rename }), {
  minLength: 20,
  maxLength: 70,
  size: 'max',
});

class World {
  readonly api = new ModelApi();
  readonly clock = new FakeClock();
  /** What other networks have in each pod's annotation. */
  readonly blue = new Map<string, unknown>();
  #master: ModelMaster;
  #uid = 0;

  constructor() {
    for (const name of NODES.slice(1)) this.#create(nodePath(name), {});
    this.#master = this.#lead();
  }

  async take(next: Step): Promise<void> {
    if (next.do === 'node') this.#create(nodePath(next.name), {});
    else if (next.do === 'pod') this.#create(podPath(next.name), { spec: { nodeName: next.node } });
    else if (next.do === 'drop-node') this.api.delete(nodePath(next.name));
    else if (next.do === 'drop-pod') this.#drop(podPath(next.name));
    else if (next.do === 'run') this.#run(podPath(next.name));
    else if (next.do === 'finish')
      this.#edit(podPath(next.name), raw => ({
        ...raw,
        status: { ...objectAt(raw, 'status'), phase: 'Failed' },
      }));
    else if (next.do === 'strip') this.#annotate(podPath(next.name), {});
    else if (next.do === 'tamper') this.#tamper(podPath(next.name), next.text);
    else if (next.do === 'rename')
      this.#annotate(nodePath(next.name), { 'k8s.ovn.org/node-subnets': next.text });
    else if (next.do === 'fates') this.api.fates = [...next.fates];
    else if (next.do === 'kill') this.#restart();
    else if (next.do === 'look') this.#master.look();
    await this.pass(next.do === 'pass' ? 700 : 0);
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 12; turn++) {
      await Promise.resolve();
      this.clock.advance(0);
    }
  }

  /** Nothing happens any more, and everything has been seen. */
  async settle(): Promise<void> {
    this.api.fates = [];
    for (let turn = 0; turn < 12; turn++) {
      this.#master.look();
      await this.pass(20_000);
    }
  }

  /** The objects below a path, by name. */
  all(folder: string): ReadonlyMap<string, Raw> {
    const inside = [...this.api.objects].filter(([path]) => path.startsWith(folder));
    return new Map(inside.map(([path, raw]) => [path.slice(folder.length), raw]));
  }

  /** The addresses that the northbound would have for a pod. */
  given(name: string): readonly string[] {
    const port = this.#master.translation.wish.row('Logical_Switch_Port', `ns_${name}`);
    const addresses = port?.columns.addresses;
    return Array.isArray(addresses) ? String(addresses[0]).split(' ').slice(1) : [];
  }

  /** Whether the pod's node is there, maybe again. */
  hasNode(pod: Raw): boolean {
    return this.api.objects.has(nodePath(String(objectAt(pod, 'spec').nodeName)));
  }

  /** What is wrong with an object, by kind. */
  problems(object: string): readonly string[] {
    return this.#master.translation
      .problems()
      .flatMap(problem => (problem.object === object ? [problem.why] : []));
  }

  #lead(): ModelMaster {
    const master = new ModelMaster(this.api, this.clock, config);
    this.api.onChange = path => master.changed(path);
    return master;
  }

  #restart(): void {
    this.#master.kill();
    this.#master = this.#lead();
  }

  #create(path: string, more: Raw): void {
    if (this.api.objects.has(path)) return;
    const uid = `uid-${++this.#uid}`;
    const name = path.replace(/.*\//, '');
    this.api.put(path, {
      metadata: { name, uid, creationTimestamp: `2026-01-01T00:00:${10 + (this.#uid % 3)}Z` },
      ...more,
    });
  }

  /** As the kubelet does once the agent has made the pod's network as the northbound has it. */
  #run(path: string): void {
    this.#edit(path, raw => {
      const ips = this.given(path.replace(/.*\//, ''));
      if (runningIps(raw).length > 0 || ips.length === 0) return raw;
      return { ...raw, status: { phase: 'Running', podIPs: ips.map(ip => ({ ip })) } };
    });
  }

  #drop(path: string): void {
    this.api.delete(path);
    this.blue.delete(path);
  }

  #tamper(path: string, text: string): void {
    this.#annotate(path, { 'k8s.ovn.org/pod-networks': text });
    if (this.api.objects.has(path) && text.includes('"blue"')) this.blue.set(path, JSON.parse(text).blue);
  }

  #annotate(path: string, annotations: Raw): void {
    this.#edit(path, raw => {
      this.blue.delete(path);
      return { ...raw, metadata: { ...objectAt(raw, 'metadata'), annotations } };
    });
  }

  #edit(path: string, change: (raw: Raw) => Raw): void {
    const raw = this.api.objects.get(path);
    if (raw) this.api.put(path, change(raw));
  }
}

const isLive = (raw: Raw) => objectAt(raw, 'status').phase !== 'Failed';
const isUnique = (texts: readonly unknown[]) => new Set(texts).size === texts.length;

function checkPod(world: World, name: string, raw: Raw): void {
  const given = world.given(name);
  const problems = world.problems(`Pod ns/${name}`);
  if (given.length === 0) expect([name, problems]).toEqual([name, [expect.any(String)]]);
  else expect([name, shownIps(raw)]).toEqual([name, given]);
  const runs = runningIps(raw);
  if (runs.length > 0 && world.hasNode(raw)) expect([name, given]).toEqual([name, runs]);
}

describe('what is written back', () => {
  it('is one address for each pod, which it keeps as long as it runs, whatever breaks meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(edited, async steps => {
        const world = new World();
        for (const next of steps) await world.take(next);
        await world.settle();

        const pods = [...world.all('/api/v1/namespaces/ns/pods/')].filter(([, raw]) => isLive(raw));
        for (const [name, raw] of pods) checkPod(world, name, raw);
        const given = pods.flatMap(([name]) => world.given(name));
        expect(isUnique(given)).toBe(true);
        expect(given).not.toContain('10.0.0.4');
        for (const [path, blue] of world.blue) {
          const text = objectAt(world.api.objects.get(path) ?? {}, 'metadata', 'annotations')[
            'k8s.ovn.org/pod-networks'
          ];
          expect(JSON.parse(String(text)).blue).toEqual(blue);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('is one subnet and one id for each node, and then nothing any more', async () => {
    await fc.assert(
      fc.asyncProperty(history, async steps => {
        const world = new World();
        for (const next of steps) await world.take(next);
        await world.settle();

        const nodes = [...world.all('/api/v1/nodes/')];
        const subnets = nodes.flatMap(([, raw]) => shownNetwork(raw, 'node-subnets') ?? []);
        const ids = nodes.map(([, raw]) => objectAt(raw, 'metadata', 'annotations')['k8s.ovn.org/node-id']);
        expect(subnets.length).toBe(nodes.length);
        expect(isUnique(subnets)).toBe(true);
        expect(isUnique(ids)).toBe(true);
        for (const id of ids) expect(['2', '3', '4', '5', '6']).toContain(id);
        world.api.requests.length = 0;
        await world.pass(100_000);
        await world.settle();
        expect(world.api.requests.filter(({ path }) => !path.includes('/events'))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});
