/**
 * The least that a program can do to write into an OVSDB server: no schema, no monitor, no lock; texts go out as they
 * are, answers are only waited for and searched for errors.
 */
import { connect, type Socket } from 'node:net';

/** How ovsdb-server ends an answer. */
const END = '"error":null}';

export class RawClient {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
  }

  static async open(path: string): Promise<RawClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new RawClient(socket);
  }

  /** Sends requests without waiting in between; resolves when the answer to the one with the id `last` is there. */
  send(requests: readonly Buffer[], last: number): Promise<void> {
    const mark = `"id":${last},`;
    return new Promise((resolve, reject) => {
      let isLast = false;
      let tail = '';
      const settle = (error?: Error) => {
        this.#socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error');
        if (error) reject(error);
        else resolve();
      };
      this.#socket.on('data', (chunk: string) => {
        const text = tail + chunk;
        const at = text.indexOf('"error":"');
        if (at >= 0) settle(new Error(`the database refused: ${text.slice(at, at + 300)}`));
        const answer = text.indexOf(mark);
        isLast ||= answer >= 0;
        tail = text.slice(-64);
        if (isLast && text.includes(END, Math.max(answer, 0))) settle();
      });
      this.#socket.on('close', () => settle(new Error('the database closed the connection')));
      this.#socket.on('error', settle);
      for (const request of requests) this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
