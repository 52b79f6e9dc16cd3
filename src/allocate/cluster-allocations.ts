import type { Cidr } from '../addresses/index.ts';
import { NodeSubnets } from './node-subnets.ts';
import { PodAddresses } from './pod-addresses.ts';
import type { AllocationConfig, NodeClaim, NodeResult, PodClaim, PodHolding, PodResult } from './types.ts';

/**
 * Subnets of nodes and addresses of pods. What an object names itself comes first, then what it has or had by the record,
 * then what is free. Where every object names its own and no two the same, what came before makes no difference.
 */
export class ClusterAllocations {
  readonly #nodes: NodeSubnets;
  readonly #pods: PodAddresses;

  constructor(config: AllocationConfig) {
    this.#nodes = new NodeSubnets(config);
    this.#pods = new PodAddresses(this.#nodes);
  }

  /** Takes over what nodes and pods had. To be called before the first {@link settle}. */
  restore(record: {
    readonly nodes: ReadonlyMap<string, readonly Cidr[]>;
    readonly pods: ReadonlyMap<string, PodHolding>;
  }): void {
    this.#nodes.restore(record.nodes);
    this.#pods.restore(record.pods);
  }

  /** What the node wants; undefined where there is no such node any more. */
  setNode(name: string, claim: NodeClaim | undefined): void {
    this.#nodes.set(name, claim);
  }

  /** What the pod `namespace/name` wants; undefined where there is no such pod any more, or it needs no addresses. */
  setPod(name: string, claim: PodClaim | undefined): void {
    this.#pods.set(name, claim);
  }

  /** Decides, and returns what has changed since the last call; undefined for what is gone. */
  settle(): {
    readonly nodes: ReadonlyMap<string, NodeResult | undefined>;
    readonly pods: ReadonlyMap<string, PodResult | undefined>;
  } {
    const nodes = this.#nodes.settle();
    return { nodes, pods: this.#pods.settle(nodes.keys()) };
  }
}
