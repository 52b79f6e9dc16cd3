import type { Cidr } from '../addresses/index.ts';
import type { NodeIdResult, NodeResult, PodResult } from '../allocate/index.ts';
import type { NamespaceFact, NodeFact, PodFact } from '../cluster/facts/index.ts';
import type { Emit, Read, UnitDefinition } from '../engine/types.ts';
import type { DesiredAtom, DesiredColumns } from '../ovsdb-state/row.ts';

/** Every kind of fact that translation reads, by the key it is stored under. */
export interface Facts {
  /** Key: ''. */
  network: NetworkFact;
  /** Key: the Node's name. */
  node: NodeFact;
  nodeSubnets: NodeResult;
  nodeId: NodeIdResult;
  /** Key: the Namespace's name. */
  namespace: NamespaceFact;
  /** Key: `namespace/name`. */
  pod: PodFact;
  podAddresses: PodResult;
}

/** The part of the configuration that shapes rows. */
export interface NetworkFact {
  /** The subnets between the cluster router and the gateway routers; one of each family at most. */
  readonly joinSubnets: readonly Cidr[];
}

export type Unit = UnitDefinition<Facts, DesiredColumns, DesiredAtom>;
export type FactReader = Read<Facts>;
export type RowEmitter = Emit<DesiredColumns, DesiredAtom>;
