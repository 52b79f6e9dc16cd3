import { types } from 'node:util';

/**
 * The client's errors: one class per decision that a caller can take. `code` is stable; messages are for people.
 * docs/errors.md lists them.
 */
export abstract class OvsdbError extends Error {
  abstract readonly code: string;
}

/** The server cannot be reached, closed the connection, or is not one that we may use now. Worth another try. */
export class ConnectionError extends OvsdbError {
  override readonly name = 'ConnectionError';
  readonly code = 'ERR_OVSDB_CONNECTION';
}

/** The peer sent what RFC 7047 does not allow, or more than our limits. The connection is closed. */
export class ProtocolError extends OvsdbError {
  override readonly name = 'ProtocolError';
  readonly code = 'ERR_OVSDB_PROTOCOL';
}

/** An update does not fit the rows that we hold (an unknown UUID, say). The session reloads everything. */
export class InconsistentUpdateError extends OvsdbError {
  override readonly name = 'InconsistentUpdateError';
  readonly code = 'ERR_OVSDB_INCONSISTENT';
}

/** Nothing came within the time that was given. */
export class TimeoutError extends OvsdbError {
  override readonly name = 'TimeoutError';
  readonly code = 'ERR_OVSDB_TIMEOUT';
}

/** A text that is no database address. */
export class EndpointError extends OvsdbError {
  override readonly name = 'EndpointError';
  readonly code = 'ERR_OVSDB_ENDPOINT';
}

/** A schema that makes no sense, or a question about a table or column that it does not have. */
export class SchemaError extends OvsdbError {
  override readonly name = 'SchemaError';
  readonly code = 'ERR_OVSDB_SCHEMA';
}

/** A value that does not fit its column's type, or that no OVSDB server can read. */
export class ValueError extends OvsdbError {
  override readonly name = 'ValueError';
  readonly code = 'ERR_OVSDB_VALUE';
}

/** There is no connection (any more). `maybeApplied`: whether the server may have carried the request out. */
export class NotConnectedError extends OvsdbError {
  override readonly name = 'NotConnectedError';
  readonly code = 'ERR_OVSDB_NOT_CONNECTED';
  readonly maybeApplied: boolean;

  constructor(message: string, options: { readonly maybeApplied: boolean; readonly cause?: unknown }) {
    super(message, options);
    this.maybeApplied = options.maybeApplied;
  }
}

/** The peer speaks OVSDB but does not have the database. `databases`: what it has. */
export class WrongDatabaseError extends OvsdbError {
  override readonly name = 'WrongDatabaseError';
  readonly code = 'ERR_OVSDB_WRONG_DATABASE';
  readonly databases: readonly string[];

  constructor(endpoint: string, database: string, databases: readonly string[]) {
    super(`${endpoint}: has no database ${database} (it has: ${databases.join(', ') || 'none'})`);
    this.databases = databases;
  }
}

/**
 * The server refused. `code` is the RFC's error text, e.g. 'constraint violation', 'referential integrity violation',
 * 'duplicate uuid', 'timed out', 'not owner', 'resources exhausted', 'I/O error', 'unknown database' (RFC 7047, 3.1,
 * 4.1.3 and 5.2). `operationIndex`: which operation of the transaction failed; undefined where it was the commit,
 * or a request that is no transaction. Then only `details` names the rows.
 */
export class OperationError extends OvsdbError {
  override readonly name = 'OperationError';
  readonly code: string;
  readonly details: string | undefined;
  readonly operationIndex: number | undefined;

  constructor(code: string, details: string | undefined, operationIndex: number | undefined) {
    const where = operationIndex === undefined ? '' : `operation ${operationIndex}: `;
    super(`${where}${code}${details === undefined ? '' : `: ${details}`}`);
    this.code = code;
    this.details = details;
    this.operationIndex = operationIndex;
  }
}

/** Reads an <error> (RFC 7047, 3.1); some servers send just its text for a whole request. */
export function operationErrorFrom(json: unknown, operationIndex: number | undefined): OperationError {
  if (typeof json === 'string') return new OperationError(json, undefined, operationIndex);
  if (typeof json === 'object' && json !== null && 'error' in json && typeof json.error === 'string') {
    const details = 'details' in json && typeof json.details === 'string' ? json.details : undefined;
    return new OperationError(json.error, details, operationIndex);
  }
  throw new ProtocolError(
    `an error must have the text member "error": ${JSON.stringify(json).slice(0, 200)}`,
  );
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return types.isNativeError(thrown) ? thrown : new Error(String(thrown));
}
