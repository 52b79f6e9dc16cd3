import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openKubernetes } from '../../src/cluster/api/index.ts';
import { planTopology } from '../../src/sandbox/hosts/topology.ts';
import { Keepers } from '../../src/sandbox/kubelet/keepers.ts';
import type { PodHost, PodView } from '../../src/sandbox/pods/pod-host.ts';
import type { PodWish } from '../../src/sandbox/pods/pod-wish.ts';
import { controlPlane, describeWithControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/master-process.ts';

/** Pods without a network: one is attached as soon as it is wanted, and gone as soon as it is not. */
class PaperPods implements PodHost {
  readonly views = new Map<string, PodView>();
  changed: (key: string) => void = () => undefined;
  #attached = 0;

  want(key: string, wish: PodWish | undefined): void {
    const had = this.views.get(key);
    if (!wish) this.views.delete(key);
    else if (!had) this.views.set(key, { ...wish, state: 'ready', attachment: this.#attachment() });
    if ((wish === undefined) !== (had === undefined)) setImmediate(() => this.changed(key));
  }

  look(key: string): PodView | undefined {
    return this.views.get(key);
  }

  #attachment() {
    this.#attached += 1;
    const ips = [`10.128.0.${this.#attached}`, `fd01::${this.#attached}`];
    return { interface: 'eth0', mac: '0a:58:0a:80:00:01', ips };
  }
}

const ignore = () => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

describeWithControlPlane('the kubelets of a sandbox at a real API server', () => {
  const host = new PaperPods();
  const topology = planTopology('paper', [
    { name: 'n-a', chassis: 'n-a', ips: [] },
    { name: 'n-b', chassis: 'n-b', ips: [] },
  ]);
  let plane: TestControlPlane;
  let keepers: Keepers;

  beforeAll(async () => {
    plane = await controlPlane({ controllers: true });
    keepers = new Keepers({
      nodes: topology.nodes,
      api: openKubernetes({ kubeconfig: plane.kubeconfig }),
      checkNetwork: async () => undefined,
      host,
      log,
      nodeManifests: new Map([['n-a', { metadata: { labels: { zone: 'z1' } }, spec: {} }]]),
      synced: ignore,
      changed: ignore,
    });
    host.changed = key => keepers.look(key);
    keepers.start();
    await plane.kubectl(['wait', '--for=create', 'serviceaccount/default', '--timeout=60s']);
  }, 120_000);

  afterAll(async () => {
    keepers.stop();
    await plane.stop();
  });

  const kubectl = (...args: readonly string[]) => plane.kubectl(args);
  const path = (text: string) => `-o=jsonpath=${text}`;

  /** Waits until a query of the API server gives this. */
  const becomes = (wanted: string, ...args: readonly string[]) =>
    eventually(
      `${args.join(' ')} gives ${wanted}`,
      async () => ((await kubectl(...args)) === wanted ? true : undefined),
      30_000,
    );

  it('register Nodes that are ready, with the addresses of the nodes', async () => {
    await kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=30s');
    expect(await kubectl('get', 'node', 'n-b', path('{.status.addresses[*].address}'))).toBe(
      '172.31.0.12 fd31::12 n-b',
    );
    expect(await kubectl('get', 'node', '-l', 'zone=z1', '-o', 'name')).toBe('node/n-a\n');
    const lease = path('{.spec.holderIdentity} {.metadata.ownerReferences[0].name}');
    await becomes('n-a n-a', 'get', 'lease', '-n', 'kube-node-lease', 'n-a', lease);
    await becomes('', 'get', 'node', path('{.items[*].spec.taints}'));
  });

  it('run what a Deployment asks for, and what they say makes the endpoints of a Service', async () => {
    await kubectl('create', 'deployment', 'web', '--image=web:1', '--replicas=6', '--port=80');
    await kubectl('expose', 'deployment', 'web');
    await kubectl('wait', '--for=condition=Available', 'deployment/web', '--timeout=30s');
    await becomes('6', 'get', 'deployment', 'web', path('{.status.readyReplicas}'));
    expect(host.views.size).toBe(6);
    const pods = (await kubectl('get', 'pod', path('{.items[*].status.podIP}'))).split(' ');
    expect(pods.sort()).toEqual([...host.views.values()].map(view => view.attachment?.ips[0]).sort());
    const ready = '{.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}';
    await eventually('the Service has all endpoints', async () => {
      const slices = await kubectl(
        'get',
        'endpointslice',
        '-l',
        'kubernetes.io/service-name=web',
        path(ready),
      );
      return slices.split(' ').sort().join() === pods.join() ? true : undefined;
    });
  });

  it('let pods go', async () => {
    await kubectl('scale', 'deployment', 'web', '--replicas=2');
    await eventually('two are left', async () => (host.views.size === 2 ? true : undefined));
    const names = async () => (await kubectl('get', 'pod', '-o', 'name')).trim().split('\n');
    await eventually('two objects are left', async () => ((await names()).length === 2 ? true : undefined));
  });

  it('tell a pod from the one before it of the same name', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'twin', namespace: 'default' },
      spec: { nodeName: 'n-a', terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'c:1' }] },
    };
    await plane.apply(pod);
    await kubectl('wait', '--for=condition=Ready', 'pod/twin', '--timeout=30s');
    const first = await kubectl('get', 'pod', 'twin', path('{.metadata.uid} {.status.podIP}'));
    await kubectl('delete', 'pod', 'twin', '--force', '--grace-period=0');
    await plane.apply(pod);
    await kubectl('wait', '--for=condition=Ready', 'pod/twin', '--timeout=30s');
    const second = await kubectl('get', 'pod', 'twin', path('{.metadata.uid} {.status.podIP}'));
    expect(second.split(' ').filter(part => first.split(' ').includes(part))).toEqual([]);
    expect([...host.views.keys()].filter(key => key.startsWith('default/twin/'))).toEqual([
      `default/twin/${second.split(' ')[0]}`,
    ]);
  });

  it('keep their pods while the API server is away, and tell it afterwards', async () => {
    const before = new Map(host.views);
    await plane.stopApiServer('killed');
    await plane.startApiServer();
    await kubectl('scale', 'deployment', 'web', '--replicas=3');
    await becomes('3', 'get', 'deployment', 'web', path('{.status.readyReplicas}'));
    for (const [key, view] of before) expect(host.views.get(key)).toBe(view);
    await kubectl('delete', 'deployment', 'web');
    await eventually('they are gone', async () => (host.views.size === 1 ? true : undefined), 30_000);
  });
});
