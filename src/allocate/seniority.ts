import type { Claim } from './types.ts';

/** Something that claims, by the name that sorts it: a node's, or a pod's `namespace/name`. */
export interface Claimant {
  readonly name: string;
  readonly claim: Claim | undefined;
}

/** Orders claimants: the older first, then the lower uid, then the lower name. Without an age is youngest. */
export function compareSeniority(a: Claimant, b: Claimant): number {
  return (
    compareTexts(a.claim?.created || YOUNGEST, b.claim?.created || YOUNGEST) ||
    compareTexts(a.claim?.uid ?? '', b.claim?.uid ?? '') ||
    compareTexts(a.name, b.name)
  );
}

/** Sorts behind every RFC 3339 date. */
const YOUNGEST = '~';

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
