import { isDeepStrictEqual } from 'node:util';
import type { Connection, ConnectionOptions } from './connection.ts';
import { report, reportTransaction } from './diagnostics.ts';
import type { TlsOptions } from './dial.ts';
import { type Endpoint, formatEndpoint } from './endpoints.ts';
import { ConnectionError, EndpointError, NotConnectedError, TimeoutError } from './errors.ts';
import { Listeners } from './listeners.ts';
import { type Lock, Locks } from './locks.ts';
import { Mirror } from './mirror.ts';
import { type Backoff, Rotation } from './rotation.ts';
import type { DatabaseSchema } from './schema.ts';
import { serve, type Target } from './serve.ts';
import { checkResults } from './transaction.ts';
import type { Operation, OperationResult, Row, RowDelta } from './types.ts';

export type SessionState = 'connecting' | 'ready' | 'closed' | 'failed';

export interface SessionOptions {
  /** The servers of the database; see parseRemotes. */
  readonly remotes: readonly Endpoint[];
  /** For example 'OVN_Northbound'. */
  readonly database: string;
  /** The columns to monitor, by table. What the server's schema lacks is left out: ask {@link Session.schema}. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** Of a cluster, use only the leader. A standalone database or a relay serves either way. */
  readonly leaderOnly?: boolean;
  readonly tls?: TlsOptions;
  /** After so much silence the server is asked for an echo, after twice that it is given up. Default 10 s. */
  readonly probeIntervalMs?: number;
  /** Default 100 ms to 5 s. */
  readonly backoff?: Backoff;
  /** For the dial and for each request. A server that takes longer is given up. Default 20 s. */
  readonly requestTimeoutMs?: number;
  /** The largest message that is read: a dump is one message. Default 256 MiB. */
  readonly maxMessageBytes?: number;
}

/**
 * A database, as seen through whichever of its servers can be used: reconnects for ever, keeps the monitored rows
 * through disconnects, and tells only what changes.
 *
 * State 'failed' is final: every server that was reached speaks OVSDB but lacks the database, and none ever had it.
 * A listener that throws harms nobody else: its error goes to the diagnostics channel `kube-northbound:ovsdb`, or,
 * where nobody subscribes to that, to process warnings.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #target: Target;
  readonly #backoff: Backoff;
  readonly #rotation: Rotation;
  readonly #mirror = new Mirror();
  readonly #deltas: Listeners<[deltas: readonly RowDelta[]]>;
  readonly #states: Listeners<[state: SessionState, cause?: Error]>;
  readonly #locks: Locks;
  readonly #abort = new AbortController();
  /** The last failure of each endpoint since the session was ready, for those who wait. */
  readonly #causes = new Map<string, Error>();
  #state: SessionState = 'connecting';
  #failure: Error | undefined;
  #schema: DatabaseSchema | undefined;
  #connection: Connection | undefined;
  #running: Promise<void> | undefined;

  /** Throws {@link EndpointError} without remotes, and for `ssl:` remotes without `tls`. */
  constructor(options: SessionOptions) {
    const { remotes, tls, database } = options;
    if (remotes.length === 0) throw new EndpointError(`no server of ${database} is given`);
    const secured = remotes.find(remote => remote.kind === 'ssl');
    if (secured !== undefined && tls === undefined) {
      throw new EndpointError(
        `${formatEndpoint(secured)} needs a private key, a certificate and a CA certificate`,
      );
    }
    this.#options = options;
    this.#target = { database, tables: options.tables, leaderOnly: options.leaderOnly ?? false };
    this.#backoff = options.backoff ?? { minMs: 100, maxMs: 5000 };
    this.#rotation = new Rotation(remotes, this.#backoff);
    const onThrow = (cause: unknown) => report({ kind: 'listener-threw', database, cause });
    this.#deltas = new Listeners(onThrow);
    this.#states = new Listeners(onThrow);
    this.#locks = new Locks(onThrow);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The schema that the server told last: the same object until it changes. Undefined before the first `ready`. */
  get schema(): DatabaseSchema | undefined {
    return this.#schema;
  }

  /** Starts connecting. More than once: no effect. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends everything; what waits is rejected. Resolves when the socket is closed. Idempotent. */
  async close(): Promise<void> {
    if (this.#state !== 'closed') {
      const cause = new ConnectionError(`the session with ${this.#options.database} is closed`);
      this.#locks.close(cause);
      this.#enter('closed', cause);
      this.#connection?.close(cause);
      this.#abort.abort();
    }
    await this.#running;
  }

  /**
   * The rows of a table by UUID, live: rows, sets and maps are changed in place before the delta is told, so copy
   * what must stay. Empty for tables that are not monitored. Survives a disconnect.
   */
  rows(table: string): ReadonlyMap<string, Row> {
    return this.#mirror.rows(table);
  }

  /**
   * Carries out a transaction. Rejects with {@link OperationError} where the server refuses it, and with
   * {@link NotConnectedError}, which says whether it may have been carried out, where there is no answer. The updates
   * that it causes may come before or after the answer. An answer that takes longer than `requestTimeoutMs` ends the
   * connection, so a `wait` operation must not be given more.
   */
  transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    const connection = this.#connection;
    if (this.#state !== 'ready' || connection === undefined) {
      const reason = this.#lastCause()?.message ?? `the session is ${this.#state}`;
      return Promise.reject(new NotConnectedError(`not connected: ${reason}`, { maybeApplied: false }));
    }
    const { database } = this.#options;
    const results = connection.request('transact', [database, ...operations], answer =>
      checkResults(operations.length, answer),
    );
    reportTransaction(database, operations.length, results);
    return results;
  }

  /**
   * Calls the listener for every change of the rows. The first dump comes as inserts; after a reconnect, only what
   * differs. The answer ends that.
   */
  onDelta(listener: (deltas: readonly RowDelta[]) => void): () => void {
    return this.#deltas.add(listener);
  }

  /** Calls the listener for every change of the state. The answer ends that. */
  onState(listener: (state: SessionState, cause?: Error) => void): () => void {
    return this.#states.add(listener);
  }

  /**
   * Resolves when the session is ready. Rejects when it fails or is closed, and after `timeoutMs` (without it: never)
   * with the last failure: what is wrong with which server.
   */
  ready(timeoutMs?: number): Promise<void> {
    if (this.#state === 'ready') return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        stop();
        if (error === undefined) resolve();
        else reject(error);
      };
      const stop = this.onState(state => {
        if (state === 'ready') settle();
        else if (this.#failure !== undefined) settle(this.#failure);
      });
      const expire = (ms: number) => settle(this.#lastCause() ?? this.#silence(ms));
      const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs, timeoutMs);
    });
  }

  /** The server's lock of this name (an <id>), wanted from now on and after every reconnect. */
  lock(name: string): Lock {
    return this.#locks.get(name);
  }

  async #run(): Promise<void> {
    while (!this.#isOver()) {
      const { waitMs, isWrong, cause } = await this.#attempt(this.#rotation.next());
      if (this.#isOver()) return;
      if (isWrong && this.#schema === undefined) {
        this.#locks.close(cause);
        this.#enter('failed', cause);
        return;
      }
      await pause(waitMs, this.#abort.signal);
    }
  }

  #isOver(): boolean {
    return this.#state === 'closed' || this.#state === 'failed';
  }

  /** One connection from the dial to its loss. */
  async #attempt(endpoint: Endpoint): Promise<{ waitMs: number; isWrong: boolean; cause: Error }> {
    let reached = false;
    let readyAt = Number.POSITIVE_INFINITY;
    const cause = await serve(endpoint, this.#target, this.#mirror, this.#connectionOptions(), {
      reached: () => {
        reached = true;
      },
      ready: (connection, schema, deltas) => {
        readyAt = performance.now();
        this.#becomeReady(connection, schema, deltas);
      },
      changed: deltas => this.#tell(deltas),
      lock: (method, params) => this.#locks.notify(method, params),
      lost: reason => this.#lost(endpoint, reason),
    });
    this.#causes.set(formatEndpoint(endpoint), cause);
    if (readyAt === Number.POSITIVE_INFINITY && !this.#isOver()) {
      report({ kind: 'attempt-failed', database: this.#options.database, cause });
    }
    // A server that loses us again and again right after the start is not to be hurried.
    if (performance.now() - readyAt >= this.#backoff.maxMs) {
      this.#rotation.succeeded();
      return { waitMs: 0, isWrong: false, cause };
    }
    return { ...this.#rotation.failed(cause, reached), cause };
  }

  #connectionOptions(): ConnectionOptions {
    const { tls, probeIntervalMs, requestTimeoutMs, maxMessageBytes } = this.#options;
    return {
      tls,
      probeIntervalMs: probeIntervalMs ?? 10_000,
      requestTimeoutMs: requestTimeoutMs ?? 20_000,
      maxMessageBytes: maxMessageBytes ?? 256 * 1024 * 1024,
      signal: this.#abort.signal,
    };
  }

  /** Consumers see the rows before they hear that the session is ready. */
  #becomeReady(connection: Connection, schema: DatabaseSchema, deltas: readonly RowDelta[]): void {
    if (!isDeepStrictEqual(schema, this.#schema)) this.#schema = schema;
    this.#connection = connection;
    this.#causes.clear();
    this.#tell(deltas);
    this.#locks.attach(connection);
    this.#enter('ready');
  }

  /** In the same turn as the loss: nobody sees a session that is ready and cannot be used. */
  #lost(endpoint: Endpoint, cause: Error): void {
    this.#locks.detach();
    this.#connection = undefined;
    this.#causes.set(formatEndpoint(endpoint), cause);
    if (this.#state === 'ready') this.#enter('connecting', cause);
  }

  #tell(deltas: readonly RowDelta[]): void {
    if (deltas.length > 0) this.#deltas.emit(deltas);
  }

  #enter(state: SessionState, cause?: Error): void {
    if (this.#state === 'closed') return; // a listener closed the session
    this.#state = state;
    if (state === 'closed' || state === 'failed') this.#failure = cause;
    const { database } = this.#options;
    if (cause === undefined) {
      report({ kind: 'state', database, state });
      this.#states.emit(state);
    } else {
      report({ kind: 'state', database, state, cause });
      this.#states.emit(state, cause);
    }
  }

  /** What is wrong, with every server that was tried since the session was last ready. */
  #lastCause(): Error | undefined {
    if (this.#failure !== undefined) return this.#failure;
    const causes = [...this.#causes.values()];
    if (causes.length <= 1) return causes[0];
    return new ConnectionError(causes.map(cause => cause.message).join('; '), { cause: causes.at(-1) });
  }

  #silence(timeoutMs: number): Error {
    const servers = this.#options.remotes.map(formatEndpoint).join(', ');
    return new TimeoutError(`${servers}: does not answer within ${timeoutMs} ms`);
  }
}

/** Resolves after `ms`, or at once when the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
