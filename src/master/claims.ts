import type { NodeClaim, PodClaim } from '../allocate/index.ts';
import { type NodeFact, type PodFact, wantsPort } from '../cluster/facts/index.ts';

/** What a Node asks of the allocator. */
export function nodeClaim(node: NodeFact): NodeClaim {
  const claim = { object: `Node ${node.name}`, created: node.created, uid: node.uid, requested: node.subnets };
  return node.problem === undefined ? claim : { ...claim, problem: node.problem };
}

/** What a Pod asks of the allocator; nothing where it gets no port. */
export function podClaim(pod: PodFact): PodClaim | undefined {
  if (!wantsPort(pod) || pod.node === undefined) return undefined;
  const claim = {
    object: `Pod ${pod.namespace}/${pod.name}`,
    created: pod.created,
    uid: pod.uid,
    node: pod.node,
    requested: pod.claimed,
  };
  return pod.problem === undefined ? claim : { ...claim, problem: pod.problem };
}
