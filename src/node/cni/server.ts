import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import {
  CNI_CODES,
  type CniAnswer,
  CniError,
  type CniRequest,
  decodeRequest,
  encodeLine,
  errorAnswer,
  MAX_LINE,
} from '../../contracts/cni.ts';
import { isCode } from '../system/error-code.ts';

/** Answers one request. `gone` fires when the plugin has closed its connection. Must not reject. */
export type Handler = (request: CniRequest, gone: AbortSignal) => Promise<CniAnswer>;

/** The agent's end of the CNI socket. */
export interface CniServer {
  /** Accepts nothing new, lets running requests be answered, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens at `path`, for root only (mode 0600; a missing parent folder is made with mode 0700). A socket that nobody
 * listens at is replaced. Throws where another process listens, or where the path is something else.
 */
export async function listen(path: string, handler: Handler): Promise<CniServer> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const idle = new Set<Socket>();
  const server = createServer(socket => serve(socket, handler, idle));
  try {
    await bind(server, path);
  } catch (error) {
    if (!isCode(error, 'EADDRINUSE')) throw error;
    await removeStale(path);
    await bind(server, path);
  }
  return {
    // Closing the server also unlinks its socket.
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of idle) socket.destroy();
      }),
  };
}

async function bind(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // The socket is made within this call, and must never be open to others: connecting needs write permission.
    const previous = process.umask(0o177);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
    process.umask(previous);
  });
}

async function removeStale(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket())
    throw new Error(`${path}: exists and is no socket; choose another --cni-socket`);
  const inUse = await new Promise<boolean>((resolve, reject) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', error => {
      if (isCode(error, 'ECONNREFUSED') || isCode(error, 'ENOENT')) resolve(false);
      else reject(error);
    });
  });
  if (inUse) throw new Error(`${path}: another agent listens here; stop it or choose another --cni-socket`);
  await unlink(path).catch(error => {
    if (!isCode(error, 'ENOENT')) throw error;
  });
}

function serve(socket: Socket, handler: Handler, idle: Set<Socket>): void {
  const gone = new AbortController();
  let received = '';
  idle.add(socket);
  socket.setEncoding('utf8');
  // A plugin that died is told of by 'close'.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    idle.delete(socket);
    gone.abort(new CniError(CNI_CODES.tryAgainLater, 'the plugin closed the connection'));
  });
  socket.on('data', (chunk: string) => {
    if (!idle.has(socket)) return;
    received += chunk;
    const end = received.indexOf('\n');
    if (end < 0 && received.length <= MAX_LINE) return;
    idle.delete(socket);
    void answer(received.slice(0, Math.max(end, 0)), handler, gone.signal).then(line => socket.end(line));
  });
}

async function answer(line: string, handler: Handler, gone: AbortSignal): Promise<string> {
  try {
    return encodeLine(await handler(decodeRequest(line), gone));
  } catch (error) {
    return encodeLine(errorAnswer(error));
  }
}
