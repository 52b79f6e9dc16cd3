export { versionOf } from './identity.ts';
export { internalIps, type NodeFact, nodeFact } from './node.ts';
export { type ClaimedAddresses, type PodFact, podFact, wantsPort } from './pod.ts';

/** A Namespace. Nothing is made of it yet; its presence is an input like any other. */
export interface NamespaceFact {
  readonly name: string;
}
