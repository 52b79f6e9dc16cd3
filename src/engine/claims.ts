import type { UnitId } from './types.ts';
import { compareUnits } from './unit-id.ts';

/** One thing that a unit says; `at` is its place among what the unit says. */
export interface Claim {
  readonly unit: UnitId;
  readonly at: number;
}

/** Everybody who says the same thing. A single one, nearly always the case, costs no object of its own. */
export type Claims<T extends Claim> = T | Contest<T>;

/** Several claims to one thing. The lower unit id wins, whoever came first. */
class Contest<T extends Claim> {
  winner: T;
  readonly losers = new Set<T>();

  constructor(winner: T) {
    this.winner = winner;
  }
}

/** The claims with one more. */
export function addClaim<T extends Claim>(claims: Claims<T> | undefined, claim: T): Claims<T> {
  if (claims === undefined) return claim;
  const contest = claims instanceof Contest ? claims : new Contest<T>(claims);
  if (compareClaims(claim, contest.winner) < 0) {
    contest.losers.add(contest.winner);
    contest.winner = claim;
  } else {
    contest.losers.add(claim);
  }
  return contest;
}

/** The claims without one of them; undefined where that was the last. */
export function removeClaim<T extends Claim>(claims: Claims<T> | undefined, claim: T): Claims<T> | undefined {
  if (!(claims instanceof Contest)) return claims === claim ? undefined : claims;
  if (claims.winner === claim) {
    claims.winner = lowest(claims.losers, claim);
    claims.losers.delete(claims.winner);
  } else {
    claims.losers.delete(claim);
  }
  return claims.losers.size === 0 ? claims.winner : claims;
}

/** The claim that counts. */
export function winnerOf<T extends Claim>(claims: Claims<T> | undefined): T | undefined {
  return claims instanceof Contest ? claims.winner : claims;
}

/** The claims that do not count, in the order of their units. */
export function losersOf<T extends Claim>(claims: Claims<T> | undefined): readonly T[] {
  return claims instanceof Contest ? [...claims.losers].sort(compareClaims) : [];
}

function lowest<T extends Claim>(claims: Iterable<T>, fallback: T): T {
  let best: T | undefined;
  for (const claim of claims) if (best === undefined || compareClaims(claim, best) < 0) best = claim;
  return best ?? fallback;
}

function compareClaims(a: Claim, b: Claim): number {
  return compareUnits(a.unit, b.unit) || a.at - b.at;
}
