import type { Cidr } from '../addresses/index.ts';
import { NodeIds } from './node-ids.ts';
import { NodeSubnets } from './node-subnets.ts';
import { PodAddresses } from './pod-addresses.ts';
import type {
  AllocationConfig,
  NodeClaim,
  NodeIdResult,
  NodeResult,
  PodClaim,
  PodHolding,
  PodResult,
} from './types.ts';

/** What has changed; undefined for what is gone. */
export interface AllocationChange {
  readonly nodes: ReadonlyMap<string, NodeResult | undefined>;
  readonly nodeIds: ReadonlyMap<string, NodeIdResult | undefined>;
  readonly pods: ReadonlyMap<string, PodResult | undefined>;
}

/**
 * Subnets and ids of nodes, addresses of pods. What an object names itself comes first, then what it has or had by the
 * record, then what is free. Where every object names its own and no two the same, what came before makes no difference.
 */
export class ClusterAllocations {
  readonly #nodes: NodeSubnets;
  readonly #nodeIds: NodeIds;
  readonly #pods: PodAddresses;
  #allocates: boolean;

  constructor(config: AllocationConfig) {
    this.#nodes = new NodeSubnets(config);
    this.#nodeIds = new NodeIds(config);
    this.#pods = new PodAddresses(this.#nodes, config);
    this.#allocates = config.objectsRemember !== true;
  }

  /** Takes over what nodes and pods had. To be called before anything is given away. */
  restore(record: {
    readonly nodes: ReadonlyMap<string, readonly Cidr[]>;
    readonly pods: ReadonlyMap<string, PodHolding>;
  }): void {
    this.#nodes.restore(record.nodes);
    this.#pods.restore(record.pods);
  }

  /** From now on those that lack something are given it, with the next {@link settle}. */
  startAllocating(): void {
    this.#allocates = true;
    this.#nodes.yieldTo(this.#pods);
    this.#nodes.reconsider();
    this.#nodeIds.reconsider();
    this.#pods.reconsider();
  }

  /** Nothing is given away any more, as somebody else does it; what no object names yet is taken back. */
  stopAllocating(): void {
    this.#allocates = false;
    this.#nodes.forgetUnnamed();
    this.#nodeIds.forgetUnnamed();
    this.#pods.forgetUnnamed();
  }

  /** What the node wants; undefined where there is no such node any more. */
  setNode(name: string, claim: NodeClaim | undefined): void {
    this.#nodes.set(name, claim);
    this.#nodeIds.set(name, claim);
  }

  /** What the pod `namespace/name` wants; undefined where there is no such pod any more, or it needs no addresses. */
  setPod(name: string, claim: PodClaim | undefined): void {
    for (const { node, ips } of this.#pods.set(name, claim)) this.#nodes.noteTenant(node, ips);
  }

  /** The pods that want an address on a node, as `namespace/name`. */
  podsOn(node: string): Iterable<string> {
    return this.#pods.on(node);
  }

  /** Decides, and returns what has changed since the last call. */
  settle(): AllocationChange {
    const nodes = this.#nodes.settle(this.#allocates, this.#pods);
    const nodeIds = this.#nodeIds.settle(this.#allocates);
    return { nodes, nodeIds, pods: this.#pods.settle(nodes.keys(), this.#allocates) };
  }
}
