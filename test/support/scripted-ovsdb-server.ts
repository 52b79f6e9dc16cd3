import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Framer } from '../../src/ovsdb-client/framing.ts';
import type { Endpoint } from '../../src/ovsdb-client/index.ts';

/** Answers one request. `undefined`: no answer. Throw {@link Refusal} for an error. */
export type Handler = (params: readonly unknown[], peer: Peer) => unknown;
export type Handlers = Readonly<Record<string, Handler>>;

/** Becomes the "error" member of an answer. */
export class Refusal extends Error {
  readonly error: unknown;

  constructor(error: unknown) {
    super('refused');
    this.error = error;
  }
}

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: readonly unknown[];
  readonly result?: unknown;
}

/** One client, as the server sees it. */
export class Peer {
  /** Everything that the client sent. */
  readonly received: Message[] = [];
  readonly closed: Promise<void>;
  readonly socket: Socket;
  /** How many bytes are sent before the connection is cut. */
  cutAfter = Number.POSITIVE_INFINITY;
  bytesSent = 0;

  constructor(socket: Socket, handlers: Handlers) {
    this.socket = socket;
    this.closed = new Promise(resolve => socket.on('close', () => resolve()));
    const framer = new Framer({ maxMessageBytes: 1 << 28, maxDepth: 1000 }, text => {
      const message: Message = JSON.parse(text);
      this.received.push(message);
      if (message.method !== undefined) this.#answer(message, handlers);
    });
    socket.on('data', chunk => framer.push(chunk));
    socket.on('error', () => {});
  }

  /** The parameters of every request of this method. */
  requests(method: string): readonly (readonly unknown[])[] {
    return this.received.filter(message => message.method === method).map(message => message.params ?? []);
  }

  send(message: unknown): void {
    this.raw(JSON.stringify(message));
  }

  notify(method: string, ...params: readonly unknown[]): void {
    this.send({ id: null, method, params });
  }

  raw(text: string): void {
    const bytes = Buffer.from(text).subarray(0, Math.max(0, this.cutAfter - this.bytesSent));
    this.bytesSent += bytes.length;
    this.socket.write(bytes);
    if (this.bytesSent >= this.cutAfter) this.socket.end();
  }

  #answer({ id, method = '', params = [] }: Message, handlers: Handlers): void {
    try {
      const handler = handlers[method];
      if (handler === undefined) throw new Refusal('unknown method');
      const result = handler(params, this);
      if (result !== undefined) this.send({ id, result, error: null });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.send({ id, result: null, error: error.error });
    }
  }
}

/** A server on a unix socket that does what a test says, and nothing else. */
export class ScriptedServer {
  readonly endpoint: Endpoint & { readonly kind: 'unix' };
  readonly peers: Peer[] = [];
  readonly #server: Server;
  readonly #folder: string;
  readonly #waiting: (() => void)[] = [];

  private constructor(server: Server, folder: string, path: string) {
    this.#server = server;
    this.#folder = folder;
    this.endpoint = { kind: 'unix', path };
  }

  /** Listens; `onPeer` sees each client before its first byte, and may give it handlers of its own. */
  static async listen(
    handlers: Handlers,
    onPeer: (peer: Peer, index: number) => void = () => {},
  ): Promise<ScriptedServer> {
    const folder = mkdtempSync(join(tmpdir(), 'scripted-'));
    const path = join(folder, 'db.sock');
    const server = createServer(socket => {
      const peer = new Peer(socket, handlers);
      onPeer(peer, scripted.peers.length);
      scripted.peers.push(peer);
      for (const wake of scripted.#waiting.splice(0)) wake();
    });
    const scripted = new ScriptedServer(server, folder, path);
    await new Promise<void>(resolve => server.listen(path, () => resolve()));
    return scripted;
  }

  /** The client number `index`, counted from 0, once it has connected. */
  async peer(index: number): Promise<Peer> {
    for (;;) {
      const peer = this.peers[index];
      if (peer !== undefined) return peer;
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A small database: a set, a map and an optional scalar beside plain columns. */
export const SHOP_SCHEMA = {
  name: 'Shop',
  version: '1.0.0',
  tables: {
    Item: {
      columns: {
        name: { type: 'string' },
        price: { type: { key: 'integer', min: 0, max: 1 } },
        tags: { type: { key: 'string', min: 0, max: 'unlimited' } },
        notes: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
      },
      isRoot: true,
    },
  },
};

export const SHOP_TABLES = { Item: ['name', 'price', 'tags', 'notes'] };

/** The UUID number `n`. */
export function uuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** Transaction id number `n`. */
export function transaction(n: number): string {
  return uuid(0x1000 + n);
}

/** What `_Server` says of the Shop database. */
export function serverRow(columns: Readonly<Record<string, unknown>> = {}): unknown {
  return { name: 'Shop', model: 'standalone', connected: true, leader: true, ...columns };
}

/** A server of the Shop database with these rows, which answers as ovsdb-server does. */
export function shop(rows: Readonly<Record<string, unknown>>, overrides: Handlers = {}): Handlers {
  const initial = Object.fromEntries(Object.entries(rows).map(([id, row]) => [id, { initial: row }]));
  return {
    echo: params => params,
    list_dbs: () => ['Shop', '_Server'],
    monitor_cond: () => ({ Database: { [uuid(0xdb)]: { initial: serverRow() } } }),
    get_schema: () => SHOP_SCHEMA,
    monitor_cond_since: () => [false, transaction(1), { Item: initial }],
    transact: params => params.slice(1).map(() => ({ count: 1 })),
    lock: () => ({ locked: true }),
    unlock: () => ({}),
    ...overrides,
  };
}
