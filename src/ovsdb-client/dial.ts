import { readFile } from 'node:fs/promises';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsConnectOptions } from 'node:tls';
import { type Endpoint, formatEndpoint } from './endpoints.ts';
import { asError, ConnectionError, TimeoutError } from './errors.ts';

/** Files (PEM) for `ssl:` endpoints. They are read again for every connection, so that they can be renewed. */
export interface TlsOptions {
  readonly privateKey: string;
  readonly certificate: string;
  /** The authority that must have signed the server's certificate. Always checked. */
  readonly caCert: string;
  /** Also check that the certificate names the host. Off by default: certificates of OVN clusters name none. */
  readonly checkNames?: boolean;
}

/**
 * Opens a socket to an endpoint, with TLS for `ssl:`. Rejects with {@link ConnectionError}, or {@link TimeoutError}
 * after `timeoutMs`. Aborting the signal gives up.
 */
export async function dial(
  endpoint: Endpoint,
  tls: TlsOptions | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const name = formatEndpoint(endpoint);
  if (endpoint.kind === 'unix') {
    return opened(connectPlain({ path: endpoint.path }), 'connect', name, timeoutMs, signal);
  }
  const { host, port } = endpoint;
  if (endpoint.kind === 'tcp') {
    return opened(connectPlain({ host, port, noDelay: true }), 'connect', name, timeoutMs, signal);
  }
  const options = await tlsOptions(name, host, tls);
  return opened(startTls(name, { ...options, host, port }), 'secureConnect', name, timeoutMs, signal);
}

/** A key or certificate that is none is found here. */
function startTls(name: string, options: TlsConnectOptions): Socket {
  try {
    return connectTls(options);
  } catch (cause) {
    throw new ConnectionError(`${name}: the key or a certificate is unusable: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function tlsOptions(
  name: string,
  host: string,
  tls: TlsOptions | undefined,
): Promise<TlsConnectOptions> {
  if (tls === undefined) {
    throw new ConnectionError(`${name}: needs a private key, a certificate and the authority's certificate`);
  }
  const [key, cert, ca] = await Promise.all(
    [tls.privateKey, tls.certificate, tls.caCert].map(async file => {
      try {
        return await readFile(file);
      } catch (cause) {
        throw new ConnectionError(`${name}: cannot read ${file}: ${messageOf(cause)}`, { cause });
      }
    }),
  );
  return {
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
    ...(ca === undefined ? {} : { ca }),
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls.checkNames ? {} : { checkServerIdentity: () => undefined }),
  };
}

function opened(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      settle();
      // A socket that is destroyed late may still have something to say.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error) => fail(new ConnectionError(`${name}: ${messageOf(cause)}`, { cause }));
    const onClose = () => fail(new ConnectionError(`${name}: closed by the server`));
    const onAbort = () => fail(new ConnectionError(`${name}: given up`));
    const onOpen = () => {
      settle();
      resolve(socket);
    };
    const timer = setTimeout(() => fail(new TimeoutError(`${name}: does not answer`)), timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      socket.off('error', onError).off('close', onClose).off(event, onOpen);
      signal.removeEventListener('abort', onAbort);
    };
    socket.on('error', onError).on('close', onClose).on(event, onOpen);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

/** Errors of several addresses of one host come as an AggregateError without a message. */
function messageOf(cause: unknown): string {
  const error = asError(cause);
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.map(messageOf).join('; ');
  return error.message;
}
