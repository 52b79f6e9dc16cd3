/** The map of the system: every unit, in the order in which a reader should meet them. */
import type { Unit } from './facts.ts';
import { pods } from './pod.ts';
import { clusterRouter } from './topology/cluster-router.ts';
import { nodeSwitches } from './topology/node-switch.ts';

export const units: readonly Unit[] = [clusterRouter, nodeSwitches, pods];

export { nodeClaim, podClaim } from './claims.ts';
export type { Facts } from './facts.ts';
export { objectOfUnit } from './provenance.ts';
export { type AllocationRecord, allocationRecord } from './record.ts';
export { type AnnotationWish, nodeAnnotations, podAnnotations } from './write-back.ts';
