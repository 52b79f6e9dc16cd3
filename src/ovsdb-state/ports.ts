/** What this room asks of others, and no more: the database session, the wish, a clock, a log. */
import type { DatabaseSchema } from '../ovsdb-client/schema.ts';
import type { Operation, OperationResult, Row, RowDelta } from '../ovsdb-client/types.ts';
import type { DesiredAtom, DesiredColumns, RowId } from './row.ts';

/** A session with one database and its mirror. */
export interface Database {
  /** `ready`: the mirror is whole and follows the server. In any other state nothing is written. */
  readonly state: string;
  /** Known from the first `ready` on. */
  readonly schema: DatabaseSchema | undefined;
  /** The mirror's rows of a table, by UUID. */
  rows(table: string): ReadonlyMap<string, Row>;
  onDelta(listener: (deltas: readonly RowDelta[]) => void): () => void;
  onState(listener: () => void): () => void;
  /**
   * Runs one transaction. Rejects with an OperationError where the server refused it, and with a NotConnectedError
   * where the connection broke before the answer.
   */
  transact(operations: readonly Operation[]): Promise<readonly OperationResult[]>;
}

/** A row that we want. */
export interface WishRow {
  readonly columns: DesiredColumns;
  /** Who wants it; printed as `name` or `name/key`. */
  readonly unit: { readonly name: string; readonly key: string };
  /** The columns that have members. */
  readonly memberColumns: readonly string[];
}

/** The rows that we want, by key. A row that is not declared has no members either. */
export interface Wish {
  row(table: string, key: string): WishRow | undefined;
  /** The value of one member, or undefined where there is none of that id. */
  member(table: string, key: string, column: string, id: string): DesiredAtom | undefined;
  members(table: string, key: string, column: string): Iterable<readonly [id: string, value: DesiredAtom]>;
  rowIds(): Iterable<RowId>;
}

/** What changed in the wish. With a row that comes or goes its members are told, too. */
export interface WishDelta {
  readonly rows: readonly RowId[];
  readonly members: readonly (RowId & { readonly column: string; readonly id: string })[];
}

export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls once, after that many milliseconds; 0: on the next turn of the event loop. The answer cancels it. */
  after(milliseconds: number, call: () => void): () => void;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
