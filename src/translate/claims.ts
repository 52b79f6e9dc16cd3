import type { NodeClaim, PodClaim } from '../allocate/index.ts';
import { type NodeFact, type PodFact, wantsPort } from '../cluster/facts/index.ts';
import { nodeSwitch, RESERVED_SWITCHES } from './names.ts';

const RESERVED_NAME = 'it is named like a switch of the cluster network: give the Node another name';

/** What a Node asks of the allocator. */
export function nodeClaim(node: NodeFact): NodeClaim {
  const claim = {
    object: `Node ${node.name}`,
    created: node.created,
    uid: node.uid,
    requested: node.subnets,
  };
  const problem = RESERVED_SWITCHES.has(nodeSwitch(node.name)) ? RESERVED_NAME : node.problem;
  return problem === undefined ? claim : { ...claim, problem };
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
