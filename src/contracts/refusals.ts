/**
 * Why an object is refused, in whole or in part, as one fixed word: the `reason` of its Event and the label of its
 * metric. docs/errors.md explains each.
 */
export type RefusalKind =
  /** A pod's node has no free address, a cluster no free subnet or node id. */
  | 'AddressesExhausted'
  | 'SubnetsExhausted'
  | 'NodeIdsExhausted'
  /** What the object names is another's. */
  | 'AddressConflict'
  | 'SubnetConflict'
  | 'NodeIdConflict'
  /** What the object names cannot be given to it, whoever else wants it. */
  | 'AddressUnusable'
  | 'SubnetUnusable'
  | 'NodeIdUnusable'
  /** A field or an annotation cannot be read. */
  | 'Malformed'
  /** The object is named like something of the cluster network. */
  | 'NameReserved'
  | 'NodeUnknown'
  | 'NodeWithoutSubnet'
  /** A policy that nothing enforces. */
  | 'NotEnforced'
  /** Its rows are not in the northbound as they should be. */
  | 'NotProgrammed';

/** Something that is wrong with an object, for programs and for people. */
export interface Problem {
  readonly kind: RefusalKind;
  /** Names the field and the remedy. */
  readonly text: string;
}

/** Kinds that say that something is used up. */
export const EXHAUSTION: ReadonlySet<RefusalKind> = new Set([
  'AddressesExhausted',
  'SubnetsExhausted',
  'NodeIdsExhausted',
]);

/** Whether two problems read the same. */
export function sameProblem(a: Problem | undefined, b: Problem | undefined): boolean {
  return a?.kind === b?.kind && a?.text === b?.text;
}
