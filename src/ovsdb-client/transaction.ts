import { type OperationError, operationErrorFrom, ProtocolError } from './errors.ts';
import type { Operation, OperationResult } from './types.ts';

/** A condition [column, function, value in wire form] (RFC 7047, 5.1 <condition>). */
export type Condition = readonly [column: string, test: string, value: unknown];

/** A mutation [column, mutator, value in wire form] (RFC 7047, 5.1 <mutation>). */
export type Mutation = readonly [column: string, mutator: string, value: unknown];

/** A row's columns in wire form. */
export type WireRow = Readonly<Record<string, unknown>>;

/** The row with this UUID. */
export function byUuid(uuid: string): readonly Condition[] {
  return [['_uuid', '==', ['uuid', uuid]]];
}

/** Inserts a row. `uuid`: one of our choice (ovsdb-server(7), 5.2.1); `name`: for references within the transaction. */
export function insert(
  table: string,
  row: WireRow,
  identity: { readonly uuid?: string; readonly name?: string } = {},
): Operation {
  return {
    op: 'insert',
    table,
    row,
    ...(identity.uuid === undefined ? {} : { uuid: identity.uuid }),
    ...(identity.name === undefined ? {} : { 'uuid-name': identity.name }),
  };
}

/** Sets columns of all rows that fit `where`. No row fits: count 0, and no error. */
export function update(table: string, where: readonly Condition[], row: WireRow): Operation {
  return { op: 'update', table, where, row };
}

/** Changes columns of all rows that fit `where`. No row fits: count 0, and no error. */
export function mutate(
  table: string,
  where: readonly Condition[],
  mutations: readonly Mutation[],
): Operation {
  return { op: 'mutate', table, where, mutations };
}

/** Deletes all rows that fit `where`. */
export function remove(table: string, where: readonly Condition[]): Operation {
  return { op: 'delete', table, where };
}

/** Reads the columns of all rows that fit `where`. */
export function select(table: string, where: readonly Condition[], columns: readonly string[]): Operation {
  return { op: 'select', table, where, columns };
}

/** Fails the transaction ('timed out') unless, now, the rows that fit `where` are exactly `rows` in these columns. */
export function assertRows(
  table: string,
  where: readonly Condition[],
  columns: readonly string[],
  rows: readonly WireRow[],
): Operation {
  return { op: 'wait', timeout: 0, table, where, columns, until: '==', rows };
}

/** A note in the database's log. */
export function comment(text: string): Operation {
  return { op: 'comment', comment: text };
}

/** Fails the transaction ('not owner') unless this connection holds the lock. */
export function assertLock(lock: string): Operation {
  return { op: 'assert', lock };
}

/**
 * Reads the answer to a transact request (RFC 7047, 4.1.3). The first error is thrown: one of an operation with its
 * index (the results of later operations are null then), one of the commit, an element more, without. Throws
 * {@link ProtocolError} for what is no answer to `count` operations.
 */
export function checkResults(count: number, answer: unknown): readonly OperationResult[] {
  if (!Array.isArray(answer)) throw new ProtocolError('the answer to transact must be a list');
  const error = firstError(count, answer);
  if (error !== undefined) throw error;
  if (answer.length !== count) {
    throw new ProtocolError(`the answer to ${count} operations has ${answer.length} results`);
  }
  return answer.map((result, index) => checkResult(result, index));
}

function firstError(count: number, answer: readonly unknown[]): OperationError | undefined {
  for (const [index, result] of answer.entries()) {
    if (typeof result === 'object' && result !== null && 'error' in result && result.error !== null) {
      return operationErrorFrom(result, index < count ? index : undefined);
    }
  }
  return undefined;
}

function checkResult(result: unknown, index: number): OperationResult {
  if (typeof result !== 'object' || result === null) {
    throw new ProtocolError(`operation ${index} has no result, and none failed`);
  }
  const { count, uuid, rows } = result as Readonly<Record<string, unknown>>;
  return {
    ...(typeof count === 'number' ? { count } : {}),
    ...(Array.isArray(uuid) && typeof uuid[1] === 'string' ? { uuid: uuid[1] } : {}),
    ...(Array.isArray(rows) ? { rows } : {}),
  };
}
