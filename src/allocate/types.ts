import type { Cidr, Ip } from '../addresses/index.ts';
import type { Problem } from '../contracts/refusals.ts';

/** Who wants something. Of two that want the same the holder wins, then the older, then the lower uid, then the name. */
export interface Claim {
  /** RFC 3339; '' where the object has no age, and then it counts as the youngest. */
  readonly created: string;
  readonly uid: string;
}

export interface NodeClaim extends Claim {
  /** The subnets that the Node itself names, one of each family at most. */
  readonly requested: readonly Cidr[] | undefined;
  /** Why what the Node names could not be read: it keeps what it has, and is given nothing new. */
  readonly problem?: Problem;
  /** The node id that the Node itself names. */
  readonly requestedId?: number;
  /** As `problem`, of the id alone. */
  readonly idProblem?: Problem;
}

export interface PodClaim extends Claim {
  readonly node: string;
  /** The addresses that the Pod itself names; their families are the families that it gets. */
  readonly requested: { readonly ips: readonly Ip[]; readonly mac?: string } | undefined;
  /** The addresses that the Pod runs with: it is never moved away from them, and goes before all who only name them. */
  readonly running?: readonly Ip[];
  /** Why what the Pod names could not be read: it keeps what it has, and is given nothing new. */
  readonly problem?: Problem;
}

/** A node's subnets, IPv4 first, empty where it has none. Both may be set: it keeps what it had, and something is wrong. */
export interface NodeResult {
  readonly subnets: readonly Cidr[];
  readonly error?: Problem;
}

/** A node's id and the addresses in the join subnets that follow from it, IPv4 first; undefined and empty: it has none. */
export interface NodeIdResult {
  readonly id: number | undefined;
  readonly joinIps: readonly Ip[];
  readonly error?: Problem;
}

/** A pod's addresses, IPv4 first, empty where it has none. `mac` only where the pod asked for one. */
export interface PodResult {
  readonly ips: readonly Ip[];
  readonly mac: string | undefined;
  readonly error?: Problem;
}

/** Where node subnets come from: the networks of `hostPrefix` bits in `cidr`. */
export interface Pool {
  readonly cidr: Cidr;
  readonly hostPrefix: number;
}

export interface AllocationConfig {
  /** Several of one family are used up one after the other. */
  readonly pools: readonly Pool[];
  /** Networks that no node may have, and that node ids become addresses in; one of each family at most. */
  readonly joinSubnets: readonly Cidr[];
  /** Addresses that no pod is given, and no node where it would have no other. Who has or names one keeps it. */
  readonly excluded?: readonly Cidr[];
  /**
   * Whether objects remember what they were given: what they name then goes before what {@link ClusterAllocations.restore}
   * is told, and nothing is given away until {@link ClusterAllocations.startAllocating}.
   */
  readonly objectsRemember?: boolean;
}

/** The addresses of a pod on a node. */
export interface PodHolding {
  readonly node: string;
  readonly ips: readonly Ip[];
  readonly mac: string | undefined;
}
