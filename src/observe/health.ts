import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';

/** What the server answers with. */
export interface HealthSources {
  /** Why the process should be restarted; empty where it is well. */
  dead(): readonly string[];
  /** Why the process cannot do its work now; empty where it can. */
  unready(): readonly string[];
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

/** A server that listens. */
export interface HealthServer {
  readonly address: ListenAddress;
  /** Ends every connection. Resolves when the port is free. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const TEXT = 'text/plain; charset=utf-8';

/**
 * Serves `/healthz`, `/readyz` and `/metrics` over HTTP. The first two answer 200 with `ok`, or 503 with a reason on
 * each line. Rejects, with a message that names the address, where it cannot listen there.
 */
export async function serveHealth(address: ListenAddress, sources: HealthSources): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answerTo(request, sources).then(
      answer => send(request, response, answer),
      (error: Error) => send(request, response, { status: 500, body: `${error.message}\n` }),
    );
  });
  await listen(server, address);
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answerTo({ url = '/' }: IncomingMessage, sources: HealthSources): Promise<Answer> {
  switch (url.split('?', 1)[0]) {
    case '/healthz':
      return verdict(sources.dead());
    case '/readyz':
      return verdict(sources.unready());
    case '/metrics':
      return { status: 200, type: sources.metrics.contentType, body: await sources.metrics.text() };
    default:
      return { status: 404, body: 'there are /healthz, /readyz and /metrics\n' };
  }
}

function verdict(reasons: readonly string[]): Answer {
  if (reasons.length === 0) return { status: 200, body: 'ok\n' };
  return { status: 503, body: `${reasons.join('\n')}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, body, type = TEXT } = answer;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, address: ListenAddress): Promise<void> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Error(`cannot listen at ${formatListenAddress(address)}: ${reasonOf(error)}`, { cause: error }),
      );
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'another program listens there';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'EACCES':
      return 'this port is not open to this user';
    default:
      return error.message;
  }
}
