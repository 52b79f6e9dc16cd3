/** Who gets which subnet and which address: explicit state, no I/O. */
export { ClusterAllocations } from './cluster-allocations.ts';
export type {
  AllocationConfig,
  Claim,
  NodeClaim,
  NodeResult,
  PodClaim,
  PodHolding,
  PodResult,
  Pool,
} from './types.ts';
