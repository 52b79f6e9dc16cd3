/** Keeps the part of an OVSDB that is ours equal to a wish, whatever the schema. */
export { type Fence, fenced } from './fenced-database.ts';
export {
  type DatabaseStatus,
  OwnedDatabase,
  type OwnedDatabaseOptions,
  type OwnedRow,
} from './owned-database.ts';
export {
  type ColumnOwnership,
  exclusive,
  keys,
  members,
  type Ownership,
  status,
  type TableOwnership,
} from './ownership.ts';
export type { Clock, Database, Log, Wish, WishDelta, WishRow } from './ports.ts';
export type { RowProblem } from './problems.ts';
export {
  type DesiredAtom,
  type DesiredColumns,
  type DesiredValue,
  type RowId,
  type RowRef,
  ref,
} from './row.ts';
export { systemClock } from './system-clock.ts';
