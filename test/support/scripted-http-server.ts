import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A request as the server got it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (asked: Asked, response: ServerResponse) => void;

/** The PEM file of this name in test/support/pki. */
export function pki(name: string): string {
  return fileURLToPath(new URL(`./pki/${name}`, import.meta.url));
}

/** An HTTP or HTTPS server on loopback that does what a test says. */
export class ScriptedHttpServer {
  /** All requests so far. */
  readonly asked: Asked[] = [];
  /** Of every connection, also of closed ones. */
  readonly sockets: Socket[] = [];
  /** Files of the test; gone with the server. */
  readonly folder = mkdtempSync(join(tmpdir(), 'scripted-http-'));
  readonly #server: Server;
  readonly #scheme: string;
  #port = 0;

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
  }

  /** `tls` asks clients for a certificate, and lets them go without. */
  static async listen(answer: Answer, { tls = false } = {}): Promise<ScriptedHttpServer> {
    const onRequest = (message: IncomingMessage, response: ServerResponse) =>
      void scripted.#take(message, response, answer);
    const options = {
      cert: readFileSync(pki('server.crt')),
      key: readFileSync(pki('server.key')),
      ca: readFileSync(pki('ca.crt')),
      requestCert: true,
      rejectUnauthorized: false,
    };
    const server = tls ? createTlsServer(options, onRequest) : createServer(onRequest);
    const scripted = new ScriptedHttpServer(server, tls ? 'https' : 'http');
    server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => scripted.sockets.push(socket));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    scripted.#port = typeof address === 'object' && address !== null ? address.port : 0;
    return scripted;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  /** A file of these lines in {@link folder}. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** A kubeconfig that leads here, with these fields of the user and these of the cluster. */
  kubeconfig(user: object = {}, cluster: object = {}): string {
    return this.file(
      'kubeconfig',
      JSON.stringify({
        'current-context': 'here',
        contexts: [{ name: 'here', context: { cluster: 'scripted', user: 'tester', namespace: 'tests' } }],
        clusters: [{ name: 'scripted', cluster: { server: this.url, ...cluster } }],
        users: [{ name: 'tester', user }],
      }),
    );
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #take(message: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const url = new URL(message.url ?? '/', this.url);
    const asked = {
      method: message.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
      body: (await buffer(message)).toString('utf8'),
    };
    this.asked.push(asked);
    answer(asked, response);
  }
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Answers with a Status that says what went wrong. */
export function sendStatus(
  response: ServerResponse,
  status: number,
  reason: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code: status };
  sendJson(response, body, status, headers);
}
