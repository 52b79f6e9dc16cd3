import { Connection, type ConnectionOptions } from './connection.ts';
import { type Endpoint, formatEndpoint } from './endpoints.ts';
import {
  asError,
  ConnectionError,
  OperationError,
  ProtocolError,
  SchemaError,
  WrongDatabaseError,
} from './errors.ts';
import type { Mirror } from './mirror.ts';
import { requestMonitor } from './monitor-request.ts';
import { monitoredTables } from './monitored-table.ts';
import { type DatabaseSchema, parseSchema } from './schema.ts';
import { SERVER_DATABASE, ServerDatabase } from './server-database.ts';
import type { RowDelta } from './types.ts';

/** What is wanted of a server. */
export interface Target {
  readonly database: string;
  readonly tables: Readonly<Record<string, readonly string[]>>;
  readonly leaderOnly: boolean;
}

/** What happens on a connection, in order. All are called before the next message is looked at. */
export interface ServeEvents {
  /** It is an OVSDB server. */
  reached(): void;
  /** The mirror is up to date; `deltas` is what had changed. */
  ready(connection: Connection, schema: DatabaseSchema, deltas: readonly RowDelta[]): void;
  changed(deltas: readonly RowDelta[]): void;
  lock(method: 'locked' | 'stolen', params: readonly unknown[]): void;
  /** The connection can no longer be used. Not called where there was none. */
  lost(cause: Error): void;
}

const SERVER_MONITOR = 'server';

/** One connection from the dial to its end. Resolves with the reason of the end; never rejects. */
export async function serve(
  endpoint: Endpoint,
  target: Target,
  mirror: Mirror,
  options: ConnectionOptions,
  events: ServeEvents,
): Promise<Error> {
  const server = new ServerDatabase(formatEndpoint(endpoint), target.database, target.leaderOnly);
  let connection: Connection;
  try {
    connection = await Connection.open(endpoint, options, {
      notification: (method, params) => notify(connection, server, mirror, events, method, params),
      lost: cause => events.lost(cause),
    });
  } catch (error) {
    return asError(error);
  }
  const onAbort = () => connection.close(new ConnectionError(`${connection.name}: given up`));
  options.signal.addEventListener('abort', onAbort);
  if (options.signal.aborted) onAbort();
  try {
    await handshake(connection, server, target, mirror, events);
  } catch (error) {
    connection.close(explain(connection.name, asError(error)));
  }
  const cause = await connection.closed;
  options.signal.removeEventListener('abort', onAbort);
  return cause;
}

async function handshake(
  connection: Connection,
  server: ServerDatabase,
  target: Target,
  mirror: Mirror,
  events: ServeEvents,
): Promise<void> {
  const { database } = target;
  const databases = await connection.request('list_dbs', [], parseNames);
  events.reached();
  if (databases.includes(SERVER_DATABASE)) {
    await connection.request(
      'monitor_cond',
      [SERVER_DATABASE, SERVER_MONITOR, ServerDatabase.request],
      answer => server.load(answer),
    );
    const objection = server.objection();
    if (objection !== undefined) throw objection;
  } else if (!databases.includes(database)) {
    throw new WrongDatabaseError(connection.name, database, databases);
  }
  const schema = await connection.request('get_schema', [database], parseSchema);
  const tables = monitoredTables(target.tables, schema);
  await requestMonitor(connection, database, mirror.monitorId, tables, mirror.expect(tables), answer => {
    events.ready(connection, schema, mirror.load(answer));
  });
}

function notify(
  connection: Connection,
  server: ServerDatabase,
  mirror: Mirror,
  events: ServeEvents,
  method: string,
  params: readonly unknown[],
): void {
  if (method === 'locked' || method === 'stolen') {
    events.lock(method, params);
  } else if (params[0] === SERVER_MONITOR) {
    if (method !== 'update2') throw new ProtocolError(`${method} for the monitor of ${SERVER_DATABASE}`);
    server.update(params[1]);
    const objection = server.objection();
    if (objection !== undefined) connection.close(objection);
  } else if (params[0] === mirror.monitorId) {
    // monitor_canceled (ovsdb-server(7), 4.1.21) means that the schema changed: a new connection reads it.
    if (method === 'monitor_canceled')
      connection.close(new ConnectionError(`${connection.name}: schema changed`));
    else events.changed(mirror.update(method, params));
  } else {
    throw new ProtocolError(`notification ${method}, which we did not ask for`);
  }
}

function parseNames(answer: unknown): readonly string[] {
  if (!Array.isArray(answer) || !answer.every(name => typeof name === 'string')) {
    throw new ProtocolError('the answer to list_dbs must be a list of names');
  }
  return answer;
}

function explain(endpoint: string, error: Error): Error {
  if (error instanceof OperationError)
    return new ConnectionError(`${endpoint}: ${error.message}`, { cause: error });
  if (error instanceof SchemaError) {
    return new ProtocolError(`${endpoint}: answers nonsense: ${error.message}`, { cause: error });
  }
  return error;
}
