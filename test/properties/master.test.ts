import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '../../src/cluster/manifests.ts';
import { parseConfig } from '../../src/config/index.ts';
import { readRecord } from '../../src/master/record.ts';
import { Translation } from '../../src/master/translation.ts';
import { northboundOwnership, readNorthboundSchema, rowsAsText } from '../../src/northbound/index.ts';
import { ModelDatabase } from '../support/model-database.ts';
import { ModelSession } from '../support/model-session.ts';

/** A small configuration, so that subnets and addresses do run out. */
const config = parseConfig(
  'clusterSubnets: [{cidr: 10.0.0.0/27, hostPrefix: 29}]\njoinSubnets: [100.64.0.0/16]\n',
  'test',
);

interface WantedNode {
  readonly name: string;
  readonly subnet: string | undefined;
}

interface WantedPod {
  readonly name: string;
  readonly node: string | undefined;
  readonly ip: string | undefined;
  readonly uid: string;
  readonly phase: string;
}

interface Folder {
  readonly nodes: readonly WantedNode[];
  readonly pods: readonly WantedPod[];
}

const nodeNames = ['a', 'b', 'join', 'c'];
const subnets = [
  '10.0.0.0/29',
  '10.0.0.8/29',
  '10.0.0.0/29 fd02::/64',
  'fd02::/64',
  '10.9.0.0/28',
  '100.64.0.0/24',
];
const ips = ['10.0.0.3', '10.0.0.4', '10.0.0.11', '10.9.0.5', '10.0.0.1', 'fd02::3', 'fd02::5'];

/** Anything: subnets that overlap, addresses that two want or that lie outside, nodes that are not there. */
const anyFolder: fc.Arbitrary<Folder> = fc.record({
  nodes: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...nodeNames),
      subnet: fc.option(fc.constantFrom(...subnets), { nil: undefined }),
    }),
    { selector: ({ name }) => name },
  ),
  pods: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8'),
      node: fc.option(fc.constantFrom(...nodeNames, 'gone'), { nil: undefined, freq: 8 }),
      ip: fc.option(fc.constantFrom(...ips), { nil: undefined }),
      uid: fc.constantFrom('one', 'two'),
      phase: fc.constantFrom('Running', 'Running', 'Running', 'Failed'),
    }),
    { selector: ({ name }) => name },
  ),
});

/** Every object names what it gets, and nobody wants the same: no allocation is left to do. */
const givenFolder: fc.Arbitrary<Folder> = fc.record({
  nodes: fc.subarray(['a', 'b', 'c']).map(names => names.map(name => ({ name, subnet: givenSubnet(name) }))),
  pods: fc
    .uniqueArray(
      fc.record({
        number: fc.integer({ min: 1, max: 8 }),
        node: fc.constantFrom('a', 'b', 'c'),
        uid: fc.constantFrom('one', 'two'),
      }),
      { selector: ({ number }) => number },
    )
    .map(pods =>
      pods.map(({ number, node, uid }) => {
        const ip = givenSubnet(node).replace('.0/24', `.${number + 10}`);
        return { name: `p${number}`, node, uid, ip, phase: 'Running' };
      }),
    ),
});

function givenSubnet(node: string): string {
  return `10.7.${'abc'.indexOf(node)}.0/24`;
}

function objectsOf({ nodes, pods }: Folder): readonly KubeObject[] {
  return [
    ...nodes.map(({ name, subnet }) => ({
      ...{ apiVersion: 'v1', kind: 'Node', namespace: undefined, name },
      raw: { metadata: { name }, spec: subnet === undefined ? {} : { podCIDRs: subnet.split(' ') } },
    })),
    ...pods.map(({ name, node, ip, uid, phase }) => ({
      ...{ apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name },
      raw: {
        metadata: { name, namespace: 'ns', uid },
        spec: node === undefined ? {} : { nodeName: node },
        status: { phase, ...(ip === undefined ? {} : { podIPs: [{ ip }] }) },
      },
    })),
  ];
}

/** A master on a model database, without the processes around it. */
class ModelMaster {
  readonly database: ModelDatabase;
  readonly translation = new Translation(config);
  readonly #session: ModelSession;
  #objects: readonly KubeObject[] = [];
  #started = false;

  constructor(database = new ModelDatabase(readNorthboundSchema())) {
    this.database = database;
    const ownership = northboundOwnership('default');
    this.#session = new ModelSession({ ownership, wish: this.translation.wish }, database);
    this.translation.restore(readRecord(this.#session.owned));
  }

  async take(folder: Folder): Promise<void> {
    const put = objectsOf(folder);
    const deleted = this.#objects.filter(
      ({ kind, name }) => !put.some(now => now.kind === kind && now.name === name),
    );
    this.#objects = put;
    const delta = this.translation.apply({ put, deleted });
    this.#session.owned.setPrune(true);
    if (this.#started) this.#session.owned.apply(delta);
    else this.#session.owned.resync();
    this.#started = true;
    await this.#session.settle();
  }

  rows(): string {
    return rowsAsText(this.translation.wish);
  }

  stop(): void {
    this.#session.owned.close();
  }
}

describe('a master', () => {
  it('that starts again writes nothing and refuses the same, whatever came before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFolder, { minLength: 1, maxLength: 5 }), async folders => {
        const master = new ModelMaster();
        for (const folder of folders) await master.take(folder);
        master.stop();
        const transactions = master.database.sent.length;
        const again = new ModelMaster(master.database);
        await again.take(folders.at(-1) ?? { nodes: [], pods: [] });
        again.stop();
        expect(again.rows()).toBe(master.rows());
        expect(again.database.sent.slice(transactions)).toEqual([]);
        expect(objectsRefused(again)).toEqual(objectsRefused(master));
      }),
      { numRuns: 30 },
    );
  });

  it('agrees with a fresh translation after any sequence of folders in which everything is given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(givenFolder, { minLength: 1, maxLength: 5 }), async folders => {
        const master = new ModelMaster();
        for (const folder of folders) await master.take(folder);
        master.stop();
        const fresh = new Translation(config);
        fresh.apply({ put: objectsOf(folders.at(-1) ?? { nodes: [], pods: [] }), deleted: [] });
        expect(master.rows()).toBe(rowsAsText(fresh.wish));
      }),
      { numRuns: 20 },
    );
  });
});

function objectsRefused({ translation }: ModelMaster): readonly string[] {
  return translation.refused().map(({ object }) => object);
}
