import { type Claim, type Claims, losersOf, winnerOf } from './claims.ts';
import type { RowEntry } from './output.ts';
import type { Explanation, FactRead, Source, UnitId } from './types.ts';

interface ReadingUnit extends UnitId {
  readonly reads: readonly FactRead[];
}

interface ReadingClaim extends Claim {
  readonly unit: ReadingUnit;
}

/** Names the units behind a row and its members, and the facts that they read. Members are sorted. */
export function explain<C, M>(entry: RowEntry<ReadingUnit, C, M>): Explanation {
  const row = winnerOf<ReadingClaim>(entry.declarations);
  return {
    row: row && sourceOf(row),
    refused: losersOf<ReadingClaim>(entry.declarations).map(sourceOf),
    members: [...(entry.columns ?? [])]
      .sort(byFirst)
      .flatMap(([column, members]) =>
        [...members].sort(byFirst).map(([id, claims]) => ({ column, id, sources: sourcesOf(claims) })),
      ),
  };
}

function sourcesOf(claims: Claims<ReadingClaim>): readonly Source[] {
  return [winnerOf(claims) ?? [], losersOf(claims)].flat().map(sourceOf);
}

function sourceOf({ unit: { name, key, reads } }: ReadingClaim): Source {
  return {
    unit: { name, key },
    reads: reads.map(({ what, kind, key: factKey }) => ({ what, kind, key: factKey })),
  };
}

function byFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
