import { NotConnectedError, OperationError } from '../ovsdb-client/errors.ts';
import type { Operation, OperationResult } from '../ovsdb-client/types.ts';
import type { Database } from './ports.ts';

/** The right to write, that somebody else may have or take. */
export interface Fence {
  /** Whether we have it, as far as we know. */
  readonly held: boolean;
  onChange(listener: () => void): () => void;
  /**
   * What the server checks in front of every transaction, as we may have lost the right without knowing. Read anew for
   * each one.
   */
  readonly operations: readonly Operation[];
}

/**
 * A database that counts as ready only while we may write to it, and in which every transaction fails whole where that
 * turns out to be wrong. RFC 7047, 5.2.10 (assert) and 5.2.6 (wait) are operations to check with.
 */
export function fenced(database: Database, fence: Fence): Database {
  return {
    get state() {
      return database.state === 'ready' && !fence.held ? 'fenced' : database.state;
    },
    get schema() {
      return database.schema;
    },
    rows: table => database.rows(table),
    onDelta: listener => database.onDelta(listener),
    onState(listener) {
      const stops = [database.onState(listener), fence.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    async transact(operations): Promise<readonly OperationResult[]> {
      if (!fence.held) throw new NotConnectedError('the right to write is lost', { maybeApplied: false });
      const checks = fence.operations;
      try {
        return (await database.transact([...checks, ...operations])).slice(checks.length);
      } catch (error) {
        throw error instanceof OperationError ? withoutChecks(error, checks.length) : error;
      }
    },
  };
}

/** An error as if there had been no checks; one of a check means that we are not connected as a writer any more. */
function withoutChecks(error: OperationError, checks: number): Error {
  const { code, details, operationIndex } = error;
  if (operationIndex === undefined) return error;
  if (operationIndex >= checks) return new OperationError(code, details, operationIndex - checks);
  return new NotConnectedError(`the right to write is lost: ${error.message}`, {
    maybeApplied: false,
    cause: error,
  });
}
