import { northboundTableNames } from '../northbound/index.ts';
import type { OwnedDatabase, Wish } from '../ovsdb-state/index.ts';

/** Rows of ours that nobody wants, among all rows of ours. */
export interface Surplus {
  readonly rows: number;
  readonly unwanted: number;
  /** One of those, for people. */
  readonly example: string | undefined;
}

/** Looks at every row of ours. */
export function surplusOf(owned: Pick<OwnedDatabase, 'owned'>, wish: Pick<Wish, 'row'>): Surplus {
  let rows = 0;
  let unwanted = 0;
  let example: string | undefined;
  for (const table of northboundTableNames) {
    for (const { key } of owned.owned(table)) {
      rows++;
      if (wish.row(table, key)) continue;
      unwanted++;
      example ??= `${table} "${key}"`;
    }
  }
  return { rows, unwanted, example };
}

/** Fewer rows than this are no calamity, whatever share of ours they are. */
const FEW = 10;

/**
 * Why the first plan after a start must not delete what it would: an API server that lost its objects, or that is
 * another one, looks like a cluster in which everything was deleted. `limit`: the share that may go, from 0 to 1.
 */
export function surplusProblem({ rows, unwanted, example }: Surplus, limit: number): string | undefined {
  if (unwanted < FEW || unwanted <= limit * rows) return undefined;
  return (
    `the API server has nothing any more for ${unwanted} of our ${rows} rows, such as ${example}: nothing is deleted. ` +
    'See whether it is the right API server, and whether it is whole; if all of them are to go, start the master with --first-prune-limit 100'
  );
}
