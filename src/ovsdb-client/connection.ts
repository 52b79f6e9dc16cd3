import type { Socket } from 'node:net';
import { dial, type TlsOptions } from './dial.ts';
import { type Endpoint, formatEndpoint } from './endpoints.ts';
import {
  asError,
  ConnectionError,
  InconsistentUpdateError,
  NotConnectedError,
  operationErrorFrom,
  ProtocolError,
  TimeoutError,
  ValueError,
} from './errors.ts';
import { Framer } from './framing.ts';
import { SilenceWatch } from './silence-watch.ts';

export interface ConnectionOptions {
  readonly tls: TlsOptions | undefined;
  /** After so much silence the peer is asked for an echo; after twice that it is given up. */
  readonly probeIntervalMs: number;
  /** A request without an answer for so long ends the connection. */
  readonly requestTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly signal: AbortSignal;
}

export interface ConnectionEvents {
  /** Called for each notification, in order, before the next message is looked at. Throwing ends the connection. */
  notification(method: string, params: readonly unknown[]): void;
  /** Called once, as soon as the connection can no longer be used, before any request is rejected. */
  lost(cause: Error): void;
}

interface Pending {
  settle(result: unknown): void;
  fail(error: Error): void;
  timer: NodeJS.Timeout;
}

const MAX_DEPTH = 64;
/** While so much waits to be sent, nothing is read: a peer that asks without end and never reads costs no more. */
const ANSWER_BACKLOG_BYTES = 1024 * 1024;
/** An answer that is late is waited for while it grows by so much in the time for one request. */
const PROGRESS_BYTES = 64 * 1024;
/** Texts longer than this are no echo requests. */
const MAX_ECHO_CHARS = 4096;
/** What JSON.stringify makes of NUL and of half a surrogate pair. Servers close the connection over either. */
const UNREADABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** One socket that speaks JSON-RPC 1.0 as RFC 7047 (4) has it: requests and answers, notifications, echo both ways. */
export class Connection {
  readonly name: string;
  /** Resolves, with the reason, when the socket is closed. Never rejects. */
  readonly closed: Promise<Error>;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #framer: Framer;
  readonly #watch: SilenceWatch;
  readonly #pending = new Map<number, Pending>();
  #inbox: string[] = [];
  #nextId = 0;
  #cause: Error | undefined;

  /** Dials. Rejects with ConnectionError or TimeoutError. */
  static async open(
    endpoint: Endpoint,
    options: ConnectionOptions,
    events: ConnectionEvents,
  ): Promise<Connection> {
    const socket = await dial(endpoint, options.tls, options.requestTimeoutMs, options.signal);
    return new Connection(formatEndpoint(endpoint), socket, options, events);
  }

  private constructor(name: string, socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.name = name;
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    const limits = { maxMessageBytes: options.maxMessageBytes, maxDepth: MAX_DEPTH };
    this.#framer = new Framer(limits, text => this.#accept(text));
    this.#watch = new SilenceWatch(options.probeIntervalMs, {
      probe: () => this.#send({ id: this.#expectEcho(), method: 'echo', params: [] }),
      giveUp: () => this.close(new TimeoutError(`${name}: does not answer`)),
    });
    this.closed = new Promise(resolve => {
      socket.on('close', () => {
        this.close(new ConnectionError(`${name}: closed by the server`));
        resolve(this.#cause ?? new ConnectionError(`${name}: closed`));
      });
    });
    socket.on('error', cause => {
      this.close(new ConnectionError(`${name}: ${cause.message}`, { cause }));
    });
    socket.on('data', chunk => this.#receive(chunk));
    socket.on('drain', () => socket.resume());
  }

  /** Why the connection ended, undefined while it lasts. */
  get cause(): Error | undefined {
    return this.#cause;
  }

  /**
   * Sends a request. `decode` runs on the answer before the next message is looked at. Rejects with what it throws,
   * with {@link OperationError} where the server refuses the request, with {@link NotConnectedError} where the
   * connection ends first, and with {@link ValueError} for text that no server can read (nothing is sent then).
   */
  request<T>(method: string, params: readonly unknown[], decode: (result: unknown) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#cause !== undefined) {
        reject(this.#notConnected(false));
        return;
      }
      const id = this.#nextId++;
      const text = JSON.stringify({ id, method, params });
      if ((text.includes('\\u0000') || text.includes('\\ud')) && UNREADABLE.test(text)) {
        reject(new ValueError('text with a NUL or half of a surrogate pair: no OVSDB server reads it'));
        return;
      }
      this.#expect(id, result => resolve(decode(result)), reject);
      this.#write(text);
    });
  }

  /** Ends the connection, with the reason for those who wait. The first reason counts. */
  close(cause: Error): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#watch.stop();
    this.#inbox = [];
    this.#socket.destroy();
    this.#events.lost(cause);
    for (const { fail, timer } of this.#pending.values()) {
      clearTimeout(timer);
      fail(this.#notConnected(true));
    }
    this.#pending.clear();
  }

  #notConnected(maybeApplied: boolean): NotConnectedError {
    const reason = this.#cause?.message ?? this.name;
    return new NotConnectedError(`not connected: ${reason}`, { maybeApplied, cause: this.#cause });
  }

  #expect(id: number, settle: (result: unknown) => void, fail: (error: Error) => void): void {
    this.#pending.set(id, { settle, fail, timer: this.#startTimer(id) });
  }

  /** A timer that is due after our own process was busy runs before the socket is read: judge after that. */
  #startTimer(id: number): NodeJS.Timeout {
    const bytesBefore = this.#socket.bytesRead;
    const judge = () => {
      const pending = this.#pending.get(id);
      if (pending === undefined) return;
      const isArriving =
        this.#framer.pendingBytes > 0 && this.#socket.bytesRead - bytesBefore >= PROGRESS_BYTES;
      if (isArriving) pending.timer = this.#startTimer(id);
      else this.close(new TimeoutError(`${this.name}: does not answer`));
    };
    return setTimeout(() => setImmediate(judge), this.#options.requestTimeoutMs);
  }

  #expectEcho(): number {
    const id = this.#nextId++;
    const nothing = () => {};
    this.#expect(id, nothing, nothing);
    return id;
  }

  #send(message: unknown): void {
    this.#write(JSON.stringify(message));
  }

  #write(text: string): void {
    if (this.#cause === undefined) this.#socket.write(text);
  }

  /** Every message of the chunk is looked at for an echo request first; only then are the others carried out. */
  #receive(chunk: Buffer): void {
    this.#watch.heard();
    let broken: unknown;
    try {
      this.#framer.push(chunk);
    } catch (error) {
      broken = error;
    }
    const texts = this.#inbox;
    this.#inbox = [];
    for (const text of texts) {
      if (this.#cause !== undefined) return;
      this.#guard(() => this.#dispatch(parseMessage(text)));
    }
    if (broken !== undefined) this.#fail(broken);
  }

  #accept(text: string): void {
    if (this.#cause === undefined && !this.#answerEcho(text)) this.#inbox.push(text);
  }

  #answerEcho(text: string): boolean {
    if (text.length > MAX_ECHO_CHARS || !text.includes('"echo"')) return false;
    let message: Message;
    try {
      message = parseMessage(text);
    } catch {
      return false; // its turn comes, after the messages before it
    }
    if (message.method !== 'echo' || message.id === null || message.id === undefined) return false;
    this.#reply({ id: message.id, result: message.params, error: null });
    return true;
  }

  #reply(answer: Message): void {
    this.#send(answer);
    if (this.#socket.writableLength > ANSWER_BACKLOG_BYTES) this.#socket.pause();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.close(named(this.name, asError(error)));
  }

  #dispatch(message: Message): void {
    const { id, method } = message;
    if (typeof method === 'string') {
      if (!Array.isArray(message.params)) throw new ProtocolError(`${method} has no list of parameters`);
      if (id === null || id === undefined) this.#events.notification(method, message.params);
      else this.#reply({ id, result: null, error: 'unknown method' });
      return;
    }
    const pending = typeof id === 'number' ? this.#pending.get(id) : undefined;
    if (typeof id !== 'number' || pending === undefined) {
      throw new ProtocolError(`an answer to no request of ours (id ${JSON.stringify(id)})`);
    }
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    this.#answer(pending, message);
  }

  #answer(pending: Pending, message: Message): void {
    try {
      if (message.error !== null && message.error !== undefined)
        throw operationErrorFrom(message.error, undefined);
      pending.settle(message.result);
    } catch (error) {
      pending.fail(asError(error));
      if (error instanceof ProtocolError) throw error;
    }
  }
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

function parseMessage(text: string): Message {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message === 'object' && message !== null) return message;
  } catch (cause) {
    throw new ProtocolError(`not JSON: ${JSON.stringify(text.slice(0, 60))}`, { cause });
  }
  throw new ProtocolError(`not a JSON object: ${JSON.stringify(text.slice(0, 60))}`);
}

/** The same error with the endpoint in front. */
function named(endpoint: string, cause: Error): Error {
  if (cause instanceof ProtocolError) {
    return new ProtocolError(`${endpoint}: answers nonsense: ${cause.message}`, { cause });
  }
  if (cause instanceof InconsistentUpdateError) {
    return new InconsistentUpdateError(`${endpoint}: ${cause.message}`, { cause });
  }
  return new ConnectionError(`${endpoint}: ${cause.message}`, { cause });
}
