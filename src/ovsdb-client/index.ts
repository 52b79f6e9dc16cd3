/** An OVSDB client (RFC 7047 and the extensions of ovsdb-server(7)). Needs nothing but Node. */
export type { DiagnosticEvent } from './diagnostics.ts';
export type { TlsOptions } from './dial.ts';
export { defaultRemotes, type Endpoint, formatEndpoint, parseRemotes } from './endpoints.ts';
export {
  ConnectionError,
  EndpointError,
  InconsistentUpdateError,
  NotConnectedError,
  OperationError,
  OvsdbError,
  ProtocolError,
  SchemaError,
  TimeoutError,
  ValueError,
  WrongDatabaseError,
} from './errors.ts';
export type { Lock } from './locks.ts';
export type { Backoff } from './rotation.ts';
export {
  type AtomType,
  type BaseType,
  type ColumnSchema,
  type ColumnType,
  DatabaseSchema,
  parseSchema,
  type TableSchema,
} from './schema.ts';
export { Session, type SessionOptions, type SessionState } from './session.ts';
export {
  assertLock,
  assertRows,
  byUuid,
  type Condition,
  comment,
  insert,
  type Mutation,
  mutate,
  remove,
  select,
  update,
  type WireRow,
} from './transaction.ts';
export type { Atom, ColumnDelta, Operation, OperationResult, Row, RowDelta, Value } from './types.ts';
export { decodeValue, defaultValue, EMPTY_MAP, EMPTY_SET, encodeAtom, encodeValue, isUuid } from './wire.ts';
