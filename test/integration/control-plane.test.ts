import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { KubeObject } from '../../src/cluster/manifest-source.ts';
import { applyManifests } from '../../src/sandbox/kubernetes/manifests.ts';
import { controlPlane, describeWithControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/master-process.ts';

describeWithControlPlane('a control plane', () => {
  let plane: TestControlPlane;
  beforeAll(async () => {
    plane = await controlPlane({ controllers: true });
  });
  afterAll(() => plane?.stop());

  /** Runs kubectl with a kubeconfig other than the administrator's. */
  const as = (kubeconfig: string, ...args: readonly string[]) =>
    plane.kubectl(['--kubeconfig', kubeconfig, ...args]);

  it('knows its ServiceAccounts by their tokens, and grants them what RBAC does', async () => {
    await plane.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader', namespace: 'shop' } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'reader' },
        rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'reader' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'shop' }],
      },
    );
    const kubeconfig = await plane.kubeconfigFor({ namespace: 'shop', serviceAccount: 'reader' });
    expect(await as(kubeconfig, 'get', 'nodes', '-o', 'name')).toBe('');
    await expect(as(kubeconfig, 'get', 'pods', '-n', 'shop')).rejects.toThrow(
      'User "system:serviceaccount:shop:reader" cannot list resource "pods"',
    );
    const decisions = plane
      .audit()
      .filter(({ user, objectRef }) => user.username === 'system:serviceaccount:shop:reader' && objectRef)
      .map(({ verb, objectRef, annotations }) => [
        verb,
        objectRef?.resource,
        annotations?.['authorization.k8s.io/decision'],
      ]);
    expect(decisions).toEqual([
      ['list', 'nodes', 'allow'],
      ['list', 'pods', 'forbid'],
    ]);
  });

  it('lets a kubelet register its own node only', async () => {
    const kubeconfig = await plane.kubeconfigForUser({
      name: 'system:node:worker-1',
      groups: ['system:nodes'],
    });
    const node = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
    const create = (name: string) =>
      plane.kubectl(['--kubeconfig', kubeconfig, 'create', '-f', '-'], node(name));
    await create('worker-1');
    await expect(create('worker-2')).rejects.toThrow('is not allowed to modify node "worker-2"');
  });

  it('runs a deployment: pods are made and bound to a ready node', async () => {
    const status = JSON.stringify({
      status: {
        conditions: [{ type: 'Ready', status: 'True', reason: 'Test', message: 'stands for a kubelet' }],
        allocatable: { cpu: '8', memory: '8Gi', pods: '100' },
      },
    });
    await plane.kubectl(['patch', 'node', 'worker-1', '--subresource=status', '--type=merge', '-p', status]);
    await plane.kubectl(['create', 'deployment', 'web', '--image=web', '--replicas=2']);
    const bound = () => plane.kubectl(['get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}']);
    await eventually(
      'two pods are bound',
      async () => (await bound()) === 'worker-1 worker-1' || undefined,
      60_000,
    );
    expect(await plane.kubectl(['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}'])).toBe(
      '10.96.0.1',
    );
  });

  it('takes the objects of manifests: also pods in namespaces that nobody declares, but no Nodes', async () => {
    const object = (kind: string, name: string, namespace?: string): KubeObject => ({
      ...{ apiVersion: 'v1', kind, name, namespace },
      raw: {
        ...{ apiVersion: 'v1', kind, metadata: { name, ...(namespace && { namespace }) } },
        ...(kind === 'Pod' && { spec: { containers: [{ name: 'c', image: 'i' }] } }),
      },
    });
    const declared = object('Namespace', 'declared');
    await applyManifests(plane, [
      ...[object('Pod', 'a', 'declared'), object('Pod', 'b', 'implied'), object('Pod', 'c', 'default')],
      ...[{ ...declared, raw: { ...declared.raw, metadata: { name: 'declared', labels: { tier: 'one' } } } }],
      object('Node', 'worker-9'),
    ]);
    const titles = [
      'get',
      'pods',
      '-A',
      '-o',
      'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}',
    ];
    expect((await plane.kubectl(titles)).split(' ')).toEqual(
      expect.arrayContaining(['declared/a', 'implied/b', 'default/c']),
    );
    expect(await plane.kubectl(['get', 'namespaces', '-l', 'tier=one', '-o', 'name'])).toBe(
      'namespace/declared\n',
    );
    expect(await plane.kubectl(['get', 'nodes', '-o', 'name'])).not.toContain('worker-9');
  });

  it('is the same after a crash of its API server', async () => {
    await plane.stopApiServer('killed');
    await expect(plane.kubectl(['get', 'namespace', 'shop'])).rejects.toThrow('refused');
    await plane.startApiServer();
    expect(await plane.kubectl(['get', 'namespace', 'shop', '-o', 'name'])).toBe('namespace/shop\n');
  });
});

describeWithControlPlane('a control plane without a watch cache', () => {
  it('ends watches of what it has compacted with 410', async () => {
    const plane = await controlPlane({ apiServerOptions: ['--watch-cache=false'] });
    try {
      const made = await plane.kubectl([
        'create',
        'namespace',
        'a',
        '-o',
        'jsonpath={.metadata.resourceVersion}',
      ]);
      for (const later of ['b', 'c']) await plane.kubectl(['create', 'namespace', later]);
      expect(await plane.compact()).toBeGreaterThan(Number(made));
      const watch = `/api/v1/namespaces?watch=1&timeoutSeconds=5&resourceVersion=${made}`;
      const answer = await plane.kubectl(['get', '--raw', watch]).catch(error => String(error));
      expect(answer).toMatch(/"code":410|Expired|too old/);
    } finally {
      await plane.stop();
    }
  });
});
