/** Who gets which subnet and which address: explicit state, no I/O. */
export { type AllocationChange, ClusterAllocations } from './cluster-allocations.ts';
export type {
  AllocationConfig,
  Claim,
  NodeClaim,
  NodeIdResult,
  NodeResult,
  PodClaim,
  PodHolding,
  PodResult,
  Pool,
} from './types.ts';
