/** The OVN northbound: what of it is ours, what it can do, and rows as text. */
import { ownedTables } from './ownership.ts';

export { type Capabilities, capabilitiesOf, requireColumns, requireNorthbound } from './capabilities.ts';
export { northboundOwnership } from './ownership.ts';
export { type JsonRow, rowsAsJson, rowsAsText, rowsAsTransaction } from './rows-as.ts';
export { readNorthboundSchema } from './schema-file.ts';
export type { Tables } from './tables.gen.ts';
export {
  formatTerm,
  HIGHEST_TERM,
  type SeenStamp,
  STAMP_TABLES,
  type Term,
  TermStamp,
} from './term-stamp.ts';

/** The columns to monitor, by table: all that we own, compare or report. */
export const northboundTables: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(ownedTables).map(([table, { columns }]) => [
    table,
    [...new Set([...Object.keys(columns), 'external_ids'])],
  ]),
);

/** The tables in which rows can be ours. */
export const northboundTableNames: readonly string[] = Object.keys(ownedTables);
