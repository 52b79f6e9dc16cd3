/**
 * Why an object is refused, in whole or in part, as fixed words: the `reason` of its Event and the label of its metric.
 * docs/errors.md explains each.
 */
export const REFUSALS = [
  'AddressesExhausted',
  'SubnetsExhausted',
  'NodeIdsExhausted',
  'AddressConflict',
  'SubnetConflict',
  'NodeIdConflict',
  'AddressUnusable',
  'SubnetUnusable',
  'NodeIdUnusable',
  'Malformed',
  'NameReserved',
  'NodeUnknown',
  'NodeWithoutSubnet',
  'NotProgrammed',
] as const;

export type RefusalKind = (typeof REFUSALS)[number];

/** Something that is wrong with an object, for programs and for people. */
export interface Problem {
  readonly kind: RefusalKind;
  /** Names the field and the remedy. */
  readonly text: string;
}

/** Whether two problems read the same. */
export function sameProblem(a: Problem | undefined, b: Problem | undefined): boolean {
  return a?.kind === b?.kind && a?.text === b?.text;
}
