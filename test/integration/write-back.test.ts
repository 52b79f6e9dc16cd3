import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiError, type KubernetesClient, openKubernetes } from '../../src/cluster/api/index.ts';
import { CLUSTER_RESOURCES, KubernetesSource } from '../../src/cluster/kubernetes-source.ts';
import { annotationPatch } from '../../src/cluster/write/annotation-writer.ts';
import { parseConfig } from '../../src/config/index.ts';
import { Translation } from '../../src/master/translation.ts';
import { WriteBack } from '../../src/master/write-back.ts';
import { controlPlane, describeWithControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/master-process.ts';

const TIMEOUT = 120_000;
const PATIENCE = 60_000;
const NAMESPACE = 'kube-northbound';
const POD_NETWORKS = 'k8s.ovn.org/pod-networks';

/** Three addresses for pods on each node, and one of them is excluded. */
const config = parseConfig(
  'clusterSubnets: [{cidr: 10.0.0.0/24, hostPrefix: 29}]\njoinSubnets: [100.64.0.0/16]\nexcludeSubnets: [10.0.0.4, 10.0.0.12]\n',
  'test',
);

const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
const pod = (name: string, nodeName: string, annotations: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', annotations },
  spec: { nodeName, containers: [{ name: 'web', image: 'web' }] },
});

describeWithControlPlane('writing back to a real API server', () => {
  let plane: TestControlPlane;
  let client: KubernetesClient;
  const stops: (() => void)[] = [];

  beforeAll(async () => {
    plane = await controlPlane();
    await plane.kubectl(['apply', '-f', join(__dirname, '../../deploy/rbac.yaml')]);
    const account = { namespace: NAMESPACE, serviceAccount: 'kube-northbound-master' };
    client = openKubernetes({ kubeconfig: await plane.kubeconfigFor(account) });
  }, TIMEOUT);

  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
  });

  afterAll(async () => {
    client?.close();
    await plane?.stop();
  }, TIMEOUT);

  /** A leader without a northbound. */
  function lead(): void {
    const words: string[] = [];
    const say = (fields: object, message: string) => words.push(`${message} ${JSON.stringify(fields)}`);
    const translation = new Translation(config, { objectsRemember: true });
    const writeBack = new WriteBack({
      api: client,
      objects: translation,
      instance: 'master-1',
      mayWrite: () => true,
      log: { debug: say, info: say, warn: say, error: say },
    });
    const source = new KubernetesSource({ api: client, resources: CLUSTER_RESOURCES });
    const stopSource = source.watch(change => {
      translation.apply(change);
      writeBack.take();
    });
    translation.startAllocating();
    writeBack.start();
    stops.push(() => {
      stopSource();
      writeBack.stop();
    });
  }

  async function annotationsOf(kind: string, name: string): Promise<Readonly<Record<string, string>>> {
    const text = await plane.kubectl(['get', kind, name, '-o', 'json']);
    return JSON.parse(text).metadata.annotations ?? {};
  }

  async function networkOf(name: string) {
    const text = (await annotationsOf('pod', name))[POD_NETWORKS];
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Waits until a pod shows an address. */
  function shown(name: string): Promise<unknown> {
    return eventually(`${name} shows its address`, async () => (await networkOf(name))?.default, PATIENCE);
  }

  it(
    'gives nodes subnets and ids, and pods their addresses, as our own fields',
    async () => {
      await plane.apply(
        node('a'),
        pod('one', 'a'),
        pod('two', 'a', { [POD_NETWORKS]: '{"blue":{"ip_addresses":["10.9.0.3/24"]}}' }),
      );
      lead();
      await shown('one');
      await shown('two');
      expect(await annotationsOf('node', 'a')).toMatchObject({
        'k8s.ovn.org/node-subnets': '{"default":["10.0.0.0/29"]}',
        'k8s.ovn.org/node-id': '2',
      });
      const [one, two] = [await networkOf('one'), await networkOf('two')];
      expect([one.default.ip_addresses, two.default.ip_addresses].flat().sort()).toEqual([
        '10.0.0.3/29',
        '10.0.0.5/29',
      ]);
      expect(one.default).toMatchObject({ gateway_ips: ['10.0.0.1'], role: 'primary' });
      expect(two.blue).toEqual({ ip_addresses: ['10.9.0.3/24'] });
      const fields = await plane.kubectl(['get', 'pod', 'one', '-o', 'json', '--show-managed-fields']);
      expect(JSON.parse(fields).metadata.managedFields).toContainEqual(
        expect.objectContaining({ manager: 'kube-northbound', subresource: 'status' }),
      );
    },
    TIMEOUT,
  );

  it(
    'restores all of it for the next leader, who writes nothing',
    async () => {
      const before = [await networkOf('one'), await networkOf('two'), await annotationsOf('node', 'a')];
      const patches = () =>
        plane
          .audit()
          .filter(({ verb, user }) => verb === 'patch' && user.username.endsWith(':kube-northbound-master'))
          .length;
      const written = patches();
      await plane.apply(node('b'), pod('three', 'b'));
      lead();
      await shown('three');
      expect([await networkOf('one'), await networkOf('two'), await annotationsOf('node', 'a')]).toEqual(
        before,
      );
      // Node b and pod three.
      expect(patches() - written).toBe(2);
    },
    TIMEOUT,
  );

  it(
    'tells by Events what is refused',
    async () => {
      const taken = JSON.stringify({ default: { ip_addresses: ['10.0.0.3/29'] } });
      await plane.apply(
        node('join'),
        pod('more', 'a'),
        pod('too-many', 'a'),
        pod('thief', 'b', { [POD_NETWORKS]: taken }),
      );
      lead();
      const events = async () => (await plane.kubectl(['get', 'events', '--no-headers'])).trim().split('\n');
      const said = await eventually(
        'three Events',
        async () => {
          const lines = await events();
          return lines.length >= 3 ? lines : undefined;
        },
        PATIENCE,
      );
      expect(said.join('\n')).toMatch(
        /Warning +AddressesExhausted +pod\/(more|too-many) +subnet 10\.0\.0\.0\/29 of node a is full/,
      );
      expect(said.join('\n')).toMatch(/Warning +AddressUnusable +pod\/thief +address 10\.0\.0\.3 is outside/);
      expect(said.join('\n')).toMatch(/Warning +NameReserved +node\/join +it is named like a switch/);
      expect(said).toHaveLength(3);
    },
    TIMEOUT,
  );

  it(
    'counts what happens again',
    async () => {
      const name = 'edited';
      await plane.apply(pod(name, 'b'));
      lead();
      await shown(name);
      const edit = async (count: number) => {
        await plane.kubectl(['annotate', 'pod', name, '--overwrite', `${POD_NETWORKS}={`]);
        const said = await eventually(
          `${count} times`,
          async () => {
            const args = ['--field-selector', `regarding.name=${name}`, '-o', 'json'];
            const [event] = JSON.parse(await plane.kubectl(['get', 'events.events.k8s.io', ...args])).items;
            return event && (event.series?.count ?? 1) === count ? event : undefined;
          },
          PATIENCE,
        );
        expect(said).toMatchObject({ reason: 'Malformed', note: `${POD_NETWORKS}: not JSON` });
        await shown(name);
      };
      await edit(1);
      await edit(2);
    },
    TIMEOUT,
  );

  it(
    'goes on where the API server was away',
    async () => {
      lead();
      await plane.stopApiServer('killed');
      await plane.startApiServer();
      await plane.apply(pod('late', 'b'));
      await shown('late');
    },
    TIMEOUT,
  );

  describe('a patch', () => {
    const write = {
      kind: 'Pod' as const,
      namespace: 'default',
      name: 'one',
      annotations: { 'k8s.ovn.org/test': '1' },
    };

    async function refusalOf(of: {
      readonly uid: string;
      readonly version: string | undefined;
    }): Promise<number> {
      try {
        await client.request(annotationPatch({ ...write, ...of }));
        return 200;
      } catch (error) {
        if (error instanceof ApiError) return error.status;
        throw error;
      }
    }

    it('is refused for another uid, and as a conflict for another version', async () => {
      const { uid, resourceVersion } = JSON.parse(
        await plane.kubectl(['get', 'pod', 'one', '-o', 'json']),
      ).metadata;
      const other = '00000000-0000-4000-8000-000000000000';
      expect(await refusalOf({ uid: other, version: resourceVersion })).toBe(422);
      expect(await refusalOf({ uid: other, version: '1' })).toBe(409);
      expect(await refusalOf({ uid, version: '1' })).toBe(409);
      expect((await annotationsOf('pod', 'one'))['k8s.ovn.org/test']).toBeUndefined();
      expect(await refusalOf({ uid, version: resourceVersion })).toBe(200);
      expect((await annotationsOf('pod', 'one'))['k8s.ovn.org/test']).toBe('1');
    });
  });
});
