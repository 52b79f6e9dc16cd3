import type { Connection } from './connection.ts';
import { NotConnectedError, ProtocolError, TimeoutError } from './errors.ts';
import { Listeners } from './listeners.ts';

/** A lock of the server (RFC 7047, 4.1.8). Locks belong to a connection: lost with it, asked for again on the next. */
export interface Lock {
  readonly name: string;
  readonly held: boolean;
  /** Resolves once the lock is held; rejects with {@link TimeoutError}, or when the session is closed. */
  acquired(timeoutMs: number): Promise<void>;
  /** Tells when the lock is got and lost. The answer ends that. */
  onChange(listener: (held: boolean) => void): () => void;
  /** Gives the lock back, and up where it is not held. */
  release(): Promise<void>;
}

/** The locks that a session wants, and the connection they are asked for on. */
export class Locks {
  readonly #locks = new Map<string, SessionLock>();
  readonly #onThrow: (cause: unknown) => void;
  #connection: Connection | undefined;

  constructor(onThrow: (cause: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** The lock of this name, which is wanted from now on. */
  get(name: string): Lock {
    const known = this.#locks.get(name);
    if (known !== undefined) return known;
    const lock = new SessionLock(name, this.#onThrow, () => this.#release(name));
    this.#locks.set(name, lock);
    this.#request(name, lock);
    return lock;
  }

  /** A connection is ready: asks for everything that is wanted. */
  attach(connection: Connection): void {
    this.#connection = connection;
    for (const [name, lock] of this.#locks) this.#request(name, lock);
  }

  /** The connection is gone, and with it every lock. */
  detach(): void {
    this.#connection = undefined;
    for (const lock of this.#locks.values()) lock.set(false);
  }

  /** The session is closed for good. */
  close(cause: Error): void {
    this.detach();
    for (const lock of this.#locks.values()) lock.fail(cause);
  }

  /** Takes a `locked` or `stolen` notification (RFC 7047, 4.1.9 and 4.1.10). */
  notify(method: 'locked' | 'stolen', params: readonly unknown[]): void {
    const name = params[0];
    if (typeof name !== 'string') throw new ProtocolError(`${method} names no lock`);
    this.#locks.get(name)?.set(method === 'locked');
  }

  #request(name: string, lock: SessionLock): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection
      .request('lock', [name], result => {
        if (typeof result !== 'object' || result === null || !('locked' in result)) {
          throw new ProtocolError('the answer to lock must say whether it is "locked"');
        }
        if (this.#locks.get(name) === lock) lock.set(result.locked === true);
      })
      .catch((error: Error) => {
        // A connection that ended asks again when it is back; a refusal (a bad name) stays one.
        if (!(error instanceof NotConnectedError)) lock.fail(error);
      });
  }

  async #release(name: string): Promise<void> {
    const lock = this.#locks.get(name);
    this.#locks.delete(name);
    lock?.set(false);
    lock?.fail(new NotConnectedError(`lock ${name}: released`, { maybeApplied: false }));
    try {
      await this.#connection?.request('unlock', [name], () => undefined);
    } catch (error) {
      if (!(error instanceof NotConnectedError)) throw error; // the lock ended with its connection
    }
  }
}

class SessionLock implements Lock {
  readonly name: string;
  readonly #changes: Listeners<[held: boolean]>;
  readonly #waiting = new Set<(error?: Error) => void>();
  readonly #giveBack: () => Promise<void>;
  #held = false;
  #failure: Error | undefined;

  constructor(name: string, onThrow: (cause: unknown) => void, giveBack: () => Promise<void>) {
    this.name = name;
    this.#changes = new Listeners(onThrow);
    this.#giveBack = giveBack;
  }

  get held(): boolean {
    return this.#held;
  }

  acquired(timeoutMs: number): Promise<void> {
    if (this.#held) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (error === undefined) resolve();
        else reject(error);
      };
      const timer = setTimeout(() => {
        settle(new TimeoutError(`lock ${this.name}: held by another for ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.add(settle);
    });
  }

  onChange(listener: (held: boolean) => void): () => void {
    return this.#changes.add(listener);
  }

  release(): Promise<void> {
    return this.#giveBack();
  }

  set(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    if (held) for (const settle of [...this.#waiting]) settle();
    this.#changes.emit(held);
  }

  fail(error: Error): void {
    this.#failure = error;
    for (const settle of [...this.#waiting]) settle(error);
  }
}
