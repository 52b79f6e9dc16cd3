import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type KubernetesClient, openKubernetes } from '../../src/cluster/api/index.ts';
import { controlPlane, describeWithControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/master-process.ts';

const DEPLOY = join(__dirname, '../../deploy');
const NAMESPACE = 'kube-northbound';
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:kube-northbound`;

/** What the API server says to an agent that writes more than it may. */
const ANNOTATION = 'may change no annotation but k8s.ovn.org/node-chassis-id';
const METADATA = 'may change no labels, finalizers or owners';
const CONDITION = 'may change no condition but NetworkUnavailable';

const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  spec: { nodeName: 'n1', containers: [{ name: 'web', image: 'web' }] },
};

describeWithControlPlane('deploy/', () => {
  let plane: TestControlPlane;
  const clients: KubernetesClient[] = [];

  beforeAll(async () => {
    plane = await controlPlane({ isProbe: true });
    await plane.kubectl(['apply', '-f', join(DEPLOY, 'rbac.yaml')]);
    await plane.kubectl(['apply', '-f', join(DEPLOY, 'admission.yaml')]);
    await plane.apply(node, { ...node, metadata: { name: 'n2' } }, pod);
  }, 120_000);

  afterAll(async () => {
    for (const client of clients) client.close();
    await plane.stop();
  });

  async function master(): Promise<KubernetesClient> {
    const account = { namespace: NAMESPACE, serviceAccount: 'kube-northbound-master' };
    const client = openKubernetes({ kubeconfig: await plane.kubeconfigFor(account) });
    clients.push(client);
    return client;
  }

  /** Whether RBAC would allow it; asked by the administrator, so that nothing is denied in the account's name. */
  async function may(component: 'master' | 'node', ...what: readonly string[]): Promise<boolean> {
    const args = ['auth', 'can-i', ...what, `--as=${ACCOUNT}-${component}`];
    return (await plane.kubectl(args).catch(({ stdout }) => stdout as string)).trim() === 'yes';
  }

  it('is what the API server takes, without a field that it does not know', async () => {
    const applied = await plane.kubectl([
      ...['apply', '--dry-run=server', '--validate=strict', '-k', DEPLOY, '-o', 'name'],
    ]);
    const names = applied.trim().split('\n');
    expect(names).toContain('deployment.apps/kube-northbound-master');
    expect(names).toContain('daemonset.apps/kube-northbound-node');
    expect(names).toContain('poddisruptionbudget.policy/kube-northbound-master');
    expect(names).toHaveLength(15);
  });

  it('lets the master annotate pods and nodes, and change nothing else of them', async () => {
    const api = await master();
    const patch = (path: string, body: object) =>
      api.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
    const annotated = { metadata: { annotations: { 'k8s.ovn.org/pod-networks': '{}' } } };
    const spec = { spec: { containers: [{ name: 'web', image: 'other' }] } };
    const changed = await patch('/api/v1/namespaces/default/pods/web/status', { ...annotated, ...spec });
    expect(changed).toMatchObject({ ...annotated, spec: { containers: [{ image: 'web' }] } });
    const taints = { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } };
    const tainted = await patch('/api/v1/nodes/n1/status', { ...annotated, ...taints });
    expect(tainted).toMatchObject(annotated);
    expect((tainted.spec as { taints?: { key: string }[] }).taints ?? []).not.toContainEqual(
      expect.objectContaining({ key: 'a' }),
    );
  });

  it('lets the master hold its Lease, and no other', async () => {
    const api = await master();
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`;
    const name = 'kube-northbound-default';
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name } };
    const made = await api.request({ method: 'POST', path: leases, body: lease });
    await api.request({ method: 'PUT', path: `${leases}/${name}`, body: made });
    await api.request({ method: 'GET', path: `${leases}/${name}` });
    const watching = new AbortController();
    const query = { watch: 'true', fieldSelector: `metadata.name=${name}` };
    await api.stream({ method: 'GET', path: leases, query, signal: watching.signal });
    watching.abort();
    expect(await may('master', 'update', 'lease/other', '-n', NAMESPACE)).toBe(false);
    expect(await may('master', 'update', `lease/${name}`, '-n', 'kube-system')).toBe(false);
    expect(await may('master', 'list', 'leases', '-n', NAMESPACE)).toBe(false);
  });

  it.each<['master' | 'node', readonly string[]]>([
    ['master', ['patch', 'pods']],
    ['master', ['patch', 'nodes']],
    ['master', ['get', 'secrets', '-A']],
    ['node', ['patch', 'pods', '--subresource=status']],
    ['node', ['patch', 'nodes']],
    ['node', ['update', 'nodes', '--subresource=status']],
    ['node', ['list', 'namespaces']],
    ['node', ['get', 'lease/kube-northbound-default', '-n', NAMESPACE]],
  ])('does not let the %s %j', async (component, what) => {
    expect(await may(component, ...what)).toBe(false);
  });

  it('asks in words that kubectl understands', async () => {
    expect(await may('node', 'patch', 'nodes', '--subresource=status')).toBe(true);
    expect(await may('master', 'patch', 'pods', '--subresource=status')).toBe(true);
  });

  /** A client with a token like those that the kubelet gives to an agent's pod. */
  async function agentOf(node: string): Promise<KubernetesClient> {
    const bound = ['--bound-object-kind=Node', `--bound-object-name=${node}`];
    const token = await plane.kubectl(['create', 'token', 'kube-northbound-node', '-n', NAMESPACE, ...bound]);
    const admin = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as { users: { user: object }[] };
    const users = admin.users.map(entry => ({ ...entry, user: { token: token.trim() } }));
    const kubeconfig = join(plane.folder, `agent-of-${node}.kubeconfig`);
    writeFileSync(kubeconfig, JSON.stringify({ ...admin, users }));
    const client = openKubernetes({ kubeconfig });
    clients.push(client);
    return client;
  }

  const patchStatus = (api: KubernetesClient, name: string, body: object) =>
    api.request({
      method: 'PATCH',
      path: `/api/v1/nodes/${name}/status`,
      contentType: 'application/strategic-merge-patch+json',
      body,
    });

  /** Undefined where it was not refused. */
  const refusal = (answer: Promise<unknown>) =>
    answer.then(
      () => undefined,
      (error: Error) => error,
    );

  it('lets the agent follow its pods and say of its own Node that its network is there', async () => {
    const api = await agentOf('n1');
    const query = { fieldSelector: 'spec.nodeName=n1' };
    const { items } = await api.request({ method: 'GET', path: '/api/v1/pods', query });
    expect(items).toHaveLength(1);
    const condition = {
      type: 'NetworkUnavailable',
      status: 'False',
      reason: 'Ready',
      message: 'pods can be attached',
    };
    const say = (name: string) => patchStatus(api, name, { status: { conditions: [condition] } });
    expect(await say('n1')).toMatchObject({ status: { conditions: [expect.objectContaining(condition)] } });
    // A new policy counts within moments.
    const refused = await eventually('another Node is refused', () => refusal(say('n2')));
    expect(refused).toMatchObject({ status: 403 });
    expect(refused.message).toContain('a node agent may change its own Node only');
    await say('n1');
  });

  it('lets the agent say of its own Node nothing but its chassis and its network', async () => {
    const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'it is' };
    const annotations = { 'k8s.ovn.org/node-subnets': '{"default":["10.128.0.0/24"]}', 'example.com/a': 'b' };
    const before = {
      metadata: { annotations, labels: { zone: 'a' } },
      status: {
        conditions: [ready],
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
        capacity: { cpu: '4' },
        allocatable: { cpu: '3500m' },
      },
    };
    await plane.kubectl([
      ...['patch', 'node', 'n1', '--subresource=status', '--type=strategic'],
      ...['-p', JSON.stringify(before)],
    ]);
    const api = await agentOf('n1');
    await eventually('the policy counts', () => refusal(patchStatus(api, 'n2', { status: {} })));
    const said = {
      metadata: { annotations: { 'k8s.ovn.org/node-chassis-id': 'chassis-1' } },
      status: {
        conditions: [{ type: 'NetworkUnavailable', status: 'True', reason: 'Down', message: 'not yet' }],
      },
    };
    const node = await patchStatus(api, 'n1', said);
    expect(node).toMatchObject({
      metadata: { annotations: { ...annotations, ...said.metadata.annotations } },
      status: { conditions: expect.arrayContaining([expect.objectContaining(ready)]) },
    });
    await patchStatus(api, 'n1', { metadata: { annotations: { 'k8s.ovn.org/node-chassis-id': null } } });
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'u' };
    const refused: readonly (readonly [object, string])[] = [
      [
        { metadata: { annotations: { 'k8s.ovn.org/node-subnets': '{"default":["10.0.0.0/8"]}' } } },
        ANNOTATION,
      ],
      [{ metadata: { annotations: { 'k8s.ovn.org/node-subnets': null } } }, ANNOTATION],
      [{ metadata: { annotations: { 'k8s.ovn.org/node-id': '7' } } }, ANNOTATION],
      [{ metadata: { annotations: { 'example.com/other': 'c' } } }, ANNOTATION],
      [{ metadata: { labels: { zone: 'b' } } }, METADATA],
      [{ metadata: { finalizers: ['example.com/f'] } }, METADATA],
      [{ metadata: { ownerReferences: [owner] } }, METADATA],
      [{ status: { conditions: [{ ...ready, status: 'False' }] } }, CONDITION],
      [{ status: { conditions: [{ type: 'Ready', $patch: 'delete' }] } }, CONDITION],
      [{ status: { addresses: [{ type: 'InternalIP', address: '192.0.2.2' }] } }, CONDITION],
      [{ status: { capacity: { cpu: '5' } } }, CONDITION],
    ];
    for (const [body, message] of refused) {
      const error = await refusal(patchStatus(api, 'n1', body));
      expect({ body, error: error?.message }).toEqual({ body, error: expect.stringContaining(message) });
    }
  });
});
