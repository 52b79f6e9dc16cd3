import type { KubeObject } from '../../src/cluster/manifest-object.ts';

/** A Pod of the namespace shop, as the API server has it; `runtimeUid` for the mirror of a static one. */
export function podObject(name: string, uid: string, runtimeUid?: string): KubeObject {
  const annotations = runtimeUid === undefined ? {} : { 'kubernetes.io/config.mirror': runtimeUid };
  const raw = { metadata: { namespace: 'shop', name, uid, annotations } };
  return { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name, raw };
}

export function podKey(name: string) {
  return { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name };
}

/** The Node worker-1. */
export function nodeObject(
  fields: {
    readonly uid?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly addresses?: readonly string[];
    readonly conditions?: readonly object[];
  } = {},
): KubeObject {
  const { uid = 'node-uid', annotations = {}, addresses = ['192.0.2.21'], conditions = [] } = fields;
  const raw = {
    metadata: { name: 'worker-1', uid, annotations },
    status: { addresses: addresses.map(address => ({ type: 'InternalIP', address })), conditions },
  };
  return { apiVersion: 'v1', kind: 'Node', namespace: undefined, name: 'worker-1', raw };
}
