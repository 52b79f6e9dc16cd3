import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** How often a slow relay lets bytes through, in ms. */
const BEAT = 100;

/** Stands between clients and a server on 127.0.0.1: lets nobody through, or little at a time, where a test says. */
export class TcpRelay {
  /** Of the relay itself. */
  port = 0;
  /** Bytes a second that each connection carries to its client. */
  speed = Number.POSITIVE_INFINITY;
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, client => this.#carry(client));
  }

  /** A relay to that port of 127.0.0.1, on a port of its own. */
  static async listen(target: number): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    await new Promise<void>(resolve => relay.#server.listen(0, '127.0.0.1', resolve));
    const address = relay.#server.address();
    if (address !== null && typeof address === 'object') relay.port = address.port;
    return relay;
  }

  /** Breaks all connections; new ones may come. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks all connections, and every new one, until {@link open}. */
  shut(): void {
    this.#isOpen = false;
    this.cut();
  }

  open(): void {
    this.#isOpen = true;
  }

  async close(): Promise<void> {
    this.shut();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  #carry(client: Socket): void {
    if (!this.#isOpen) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    void this.#carrySlowly(server, client);
  }

  async #carrySlowly(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) {
        let rest: Buffer = chunk;
        while (rest.length > 0) {
          const part = Number.isFinite(this.speed) ? Math.ceil((this.speed * BEAT) / 1000) : rest.length;
          to.write(rest.subarray(0, part));
          rest = rest.subarray(part);
          if (rest.length > 0) await pause(BEAT);
        }
      }
      to.end();
    } catch {
      // One of the two has gone, and takes the other one along.
    }
  }
}
