import type { KubeObject } from '../../cluster/manifest-source.ts';
import { type Cluster, kubectl } from './kubectl.ts';

/** Namespaces that every cluster has. */
const BUILT_IN = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);
const WAIT = '--timeout=60s';

/**
 * Puts the objects of manifests on the API server, but for Nodes: those register themselves. A namespace that no manifest
 * declares is made, as a folder of manifests needs none.
 */
export async function applyManifests(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
  const namespaces = namespacesOf(objects);
  const declared = objects.filter(isNamespace);
  const missing = namespaces.filter(
    name => !BUILT_IN.has(name) && !declared.some(object => object.name === name),
  );
  await apply(cluster, [...declared.map(({ raw }) => raw), ...missing.map(namespaceObject)]);
  // A pod is refused as long as its namespace has no ServiceAccount.
  for (const name of namespaces) {
    await kubectl(cluster, ['wait', '--for=create', 'serviceaccount/default', '--namespace', name, WAIT]);
  }
  const others = objects.filter(object => !isNamespace(object) && object.kind !== 'Node');
  await apply(
    cluster,
    others.map(({ raw }) => raw),
  );
}

function namespacesOf(objects: readonly KubeObject[]): readonly string[] {
  return [
    ...new Set(objects.flatMap(object => (isNamespace(object) ? object.name : object.namespace) ?? [])),
  ];
}

async function apply(cluster: Cluster, items: readonly unknown[]): Promise<void> {
  if (items.length === 0) return;
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectl(cluster, ['apply', '--filename', '-'], { input });
}

function isNamespace({ kind, apiVersion }: KubeObject): boolean {
  return kind === 'Namespace' && apiVersion === 'v1';
}

function namespaceObject(name: string): unknown {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}
