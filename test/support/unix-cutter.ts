import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../src/ovsdb-client/index.ts';

/** Stands between clients and a server on a unix socket, and cuts the connection where a test says. */
export class UnixCutter {
  readonly endpoint: Endpoint & { readonly kind: 'unix' };
  /** How many connections were cut. */
  cuts = 0;
  /** The next so many bytes are let through, then the connection is cut: requests are lost, or answers. */
  readonly budget = { requests: Number.POSITIVE_INFINITY, answers: Number.POSITIVE_INFINITY };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: string, path: string) {
    this.endpoint = { kind: 'unix', path };
    this.#server = createServer(client => this.#carry(client, dial(target))).listen(path);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  #carry(client: Socket, server: Socket): void {
    const end = () => {
      for (const socket of [client, server]) {
        socket.destroy();
        this.#sockets.delete(socket);
      }
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', bytes => this.#pass('requests', bytes, server, end));
    server.on('data', bytes => this.#pass('answers', bytes, client, end));
  }

  #pass(kind: 'requests' | 'answers', bytes: Buffer, to: Socket, end: () => void): void {
    to.write(bytes.subarray(0, this.budget[kind]));
    this.budget[kind] -= bytes.length;
    if (this.budget[kind] > 0) return;
    this.budget[kind] = Number.POSITIVE_INFINITY;
    this.cuts++;
    end();
  }
}
