import { nodeFact, podFact } from '../cluster/facts/index.ts';
import type { KubeObject } from '../cluster/manifests.ts';
import type { Facts } from '../translate/index.ts';

/** A kind of object that translation knows: where its fact is stored, and how it is trimmed. */
type KnownKind = {
  [K in 'node' | 'namespace' | 'pod']: {
    readonly fact: K;
    readonly keyOf: (object: { readonly namespace: string | undefined; readonly name: string }) => string;
    readonly trim: (object: KubeObject) => Facts[K];
  };
}['node' | 'namespace' | 'pod'];

const byName = (object: { readonly name: string }) => object.name;

const known: Readonly<Record<string, KnownKind>> = {
  'v1 Node': { fact: 'node', keyOf: byName, trim: object => nodeFact(object.name, object.raw) },
  'v1 Namespace': { fact: 'namespace', keyOf: byName, trim: object => ({ name: object.name }) },
  'v1 Pod': {
    fact: 'pod',
    keyOf: object => `${object.namespace ?? 'default'}/${object.name}`,
    trim: object => podFact(object.namespace ?? 'default', object.name, object.raw),
  },
};

/** The kind's entry, or undefined for a kind that is not translated. */
export function knownKind(object: {
  readonly apiVersion: string;
  readonly kind: string;
}): KnownKind | undefined {
  return known[`${object.apiVersion} ${object.kind}`];
}

/** Kinds that restrict traffic. As long as they are not translated, whoever applies one must be told. */
const policyKinds: ReadonlySet<string> = new Set([
  'NetworkPolicy',
  'MultiNetworkPolicy',
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'ClusterNetworkPolicy',
]);

export function isUnenforcedPolicy(object: { readonly kind: string }): boolean {
  return policyKinds.has(object.kind);
}

/** The name under which an object that is not translated is counted: its kind, with the group where that is needed. */
export function countedKind(object: { readonly apiVersion: string; readonly kind: string }): string {
  const isNamesake = known[`v1 ${object.kind}`] !== undefined;
  return isNamesake ? `${object.kind}.${object.apiVersion.split('/')[0]}` : object.kind;
}
