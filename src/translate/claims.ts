import type { NodeClaim, PodClaim } from '../allocate/index.ts';
import { type NodeFact, type PodFact, wantsPort } from '../cluster/facts/index.ts';
import type { Problem } from '../contracts/refusals.ts';
import { nodeSwitch, RESERVED_SWITCHES } from './names.ts';

const RESERVED_NAME: Problem = {
  kind: 'NameReserved',
  text: 'it is named like a switch of the cluster network: give the Node another name',
};

/** What a Node asks of the allocator. */
export function nodeClaim(node: NodeFact): NodeClaim {
  const problem = RESERVED_SWITCHES.has(nodeSwitch(node.name)) ? RESERVED_NAME : malformed(node.problem);
  const idProblem = malformed(node.idProblem);
  return {
    created: node.created,
    uid: node.uid,
    requested: node.subnets,
    ...(problem && { problem }),
    ...(node.id !== undefined && { requestedId: node.id }),
    ...(idProblem && { idProblem }),
  };
}

/**
 * What a Pod asks of the allocator; nothing where it gets no port. `statusIsTrue`: the status tells what runs; in a
 * manifest it is a wish like any other.
 */
export function podClaim(pod: PodFact, statusIsTrue = false): PodClaim | undefined {
  if (!wantsPort(pod) || pod.node === undefined) return undefined;
  const problem = malformed(pod.problem);
  return {
    created: pod.created,
    uid: pod.uid,
    node: pod.node,
    requested: pod.claimed,
    ...(statusIsTrue && pod.running && { running: pod.running }),
    ...(problem && { problem }),
  };
}

function malformed(text: string | undefined): Problem | undefined {
  return text === undefined ? undefined : { kind: 'Malformed', text };
}
