import { internalIps, nodeFact } from '../../cluster/facts/index.ts';
import type { KubeObject } from '../../cluster/manifest-source.ts';
import { generatedNodes, type NodeInput, type Topology } from './topology.ts';

/** `--nodes` and the manifests do not agree on what the nodes are. */
export class NodeCountError extends Error {
  override readonly name = 'NodeCountError';
}

/** The nodes of a sandbox: the manifests' Node objects, else as many as asked for. Throws {@link NodeCountError}. */
export function chooseNodes(
  objects: readonly KubeObject[],
  count: number | undefined,
): { readonly nodes: readonly NodeInput[]; readonly generated: boolean } {
  const nodes = objects.filter(isNode).map(({ name, raw }) => ({
    name,
    chassis: nodeFact(name, raw).chassis,
    ips: internalIps(raw),
  }));
  if (nodes.length === 0) {
    if (count === undefined)
      throw new NodeCountError('the manifests have no Node: say how many with --nodes');
    return { nodes: generatedNodes(count), generated: true };
  }
  if (count !== undefined && count !== nodes.length) {
    throw new NodeCountError(
      `--nodes ${count}, but the manifests have ${nodes.length} Node objects: leave --nodes out`,
    );
  }
  return { nodes, generated: false };
}

/** Node objects for the generated nodes, so that master and agents see them like any others. */
export function nodeManifests({ nodes }: Topology): unknown {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: nodes.map(({ name, addresses }) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      status: {
        addresses: [
          ...addresses.map(address => ({ type: 'InternalIP', address: address.split('/')[0] })),
          { type: 'Hostname', address: name },
        ],
      },
    })),
  };
}

function isNode({ kind, apiVersion }: KubeObject): boolean {
  return kind === 'Node' && apiVersion === 'v1';
}
