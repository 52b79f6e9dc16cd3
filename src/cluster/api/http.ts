import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { isRaw, type Raw } from '../facts/raw.ts';
import { type Access, AccessError, type Identity, type TlsMaterial } from './access.ts';
import { late, nonsense, type Parties, refusal, unreachable } from './failures.ts';
import { observed } from './observed.ts';
import { ApiError, type ApiRequest, type KubernetesApi } from './types.ts';

/** A {@link KubernetesApi} and where it leads. */
export interface KubernetesClient extends KubernetesApi {
  /** The server's URL, without a slash at its end. */
  readonly server: string;
  /** The namespace of the kubeconfig's context, or of the pod; undefined where none is named. */
  readonly namespace: string | undefined;
  /** Breaks off what is under way and closes the connections. */
  close(): void;
}

const TIMEOUT = 30_000;
/** An idle connection is closed after so many ms: before the server does, which closes them after 90 s. */
const IDLE = 45_000;
/** Requests beyond this wait for a connection; streams do not count. */
const CONNECTIONS = 32;

interface Agents {
  readonly tls: TlsMaterial;
  readonly requests: HttpAgent;
  readonly streams: HttpAgent;
}

/** The Kubernetes API over HTTP/1.1 with connections that are kept. */
export class HttpKubernetes implements KubernetesClient {
  readonly server: string;
  readonly namespace: string | undefined;
  readonly #access: Access;
  readonly #parties: Parties;
  #agents: Agents | undefined;

  constructor(access: Access) {
    this.server = access.server.href.replace(/\/$/, '');
    this.namespace = access.namespace;
    this.#access = access;
    this.#parties = { server: this.server, who: access.who };
  }

  async request(request: ApiRequest): Promise<Raw> {
    const bounds = new Bounds(request, this.#parties);
    try {
      const response = await this.#send(request, bounds, 'requests');
      const body = parse(await buffer(response));
      if (body === undefined) throw nonsense(this.#parties, request, response.statusCode ?? 0);
      return body;
    } catch (error) {
      throw bounds.explain(error);
    } finally {
      bounds.end();
    }
  }

  async stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
    const bounds = new Bounds(request, this.#parties);
    try {
      const response = await this.#send(request, bounds, 'streams');
      bounds.endTimeout();
      return chunksOf(response, bounds);
    } catch (error) {
      const explained = bounds.explain(error);
      bounds.end();
      throw explained;
    }
  }

  close(): void {
    this.#agents?.requests.destroy();
    this.#agents?.streams.destroy();
    this.#agents = undefined;
  }

  /** Sends the request. Resolves when a successful answer has begun; rejects where it is another one. */
  async #send(request: ApiRequest, bounds: Bounds, kind: 'requests' | 'streams'): Promise<IncomingMessage> {
    const identity = await bounds.orEnd(this.#access.identify());
    const response = await observed(request, this.#exchange(request, identity, bounds, kind));
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    if (status === 401) this.#access.doubt();
    const body = parse(await buffer(response)) ?? {};
    throw refusal(this.#parties, request, { status, headers: response.headers, body });
  }

  #exchange(
    request: ApiRequest,
    identity: Identity,
    bounds: Bounds,
    kind: 'requests' | 'streams',
  ): Promise<IncomingMessage> {
    const { server } = this.#access;
    const { method, path, query } = request;
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
    const options = {
      method,
      hostname: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port,
      path: `${server.pathname.replace(/\/$/, '')}${path}${search}`,
      agent: this.#agentsFor(identity.tls)[kind],
      headers: {
        accept: 'application/json',
        'user-agent': 'kube-northbound',
        ...identity.headers,
        ...(body && {
          'content-type': request.contentType ?? 'application/json',
          'content-length': body.length,
        }),
      },
    };
    return new Promise((resolve, reject) => {
      const sent = server.protocol === 'http:' ? requestHttp(options) : requestHttps(options);
      sent.on('response', resolve);
      sent.on('error', reject);
      bounds.onEnd(reason => sent.destroy(reason));
      // A peer that vanishes without a word is noticed by the kernel, even where nobody asks it anything.
      sent.setSocketKeepAlive(true, 15_000);
      sent.end(body);
    });
  }

  /** The connections of an earlier identity come to their end by themselves. */
  #agentsFor(tls: TlsMaterial): Agents {
    if (this.#agents === undefined || !isSame(this.#agents.tls, tls)) {
      const agent = (maxSockets: number) => {
        const options = { keepAlive: true, timeout: IDLE, maxSockets };
        return this.#access.server.protocol === 'http:'
          ? new HttpAgent(options)
          : new HttpsAgent({ ...options, ...tls });
      };
      this.#agents = { tls, requests: agent(CONNECTIONS), streams: agent(Number.POSITIVE_INFINITY) };
    }
    return this.#agents;
  }
}

/** What ends a request before its answer does: the caller's signal, and time. */
class Bounds {
  readonly #parties: Parties;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#finish(asError(this.#signal?.reason));
  #reason: Error | undefined;
  #listeners: ((reason: Error) => void)[] = [];

  constructor({ signal, timeout = TIMEOUT }: ApiRequest, parties: Parties) {
    this.#parties = parties;
    this.#signal = signal;
    this.#timer = setTimeout(() => this.#finish(late(parties, timeout)), timeout);
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  /** Calls the listener once the request has to end, at once where it already has. */
  onEnd(listener: (reason: Error) => void): void {
    if (this.#reason === undefined) this.#listeners.push(listener);
    else listener(this.#reason);
  }

  orEnd<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(resolve, reject);
      this.onEnd(reject);
    });
  }

  endTimeout(): void {
    clearTimeout(this.#timer);
  }

  /** The request has ended. */
  end(): void {
    this.endTimeout();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#listeners = [];
  }

  /** Why the request failed: what broke it off counts more than how Node says that it was broken off. */
  explain(error: unknown): Error {
    if (this.#reason !== undefined) return this.#reason;
    if (error instanceof AccessError || error instanceof ApiError) return error;
    return unreachable(this.#parties, error);
  }

  #finish(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const listener of this.#listeners) listener(reason);
  }
}

async function* chunksOf(response: IncomingMessage, bounds: Bounds): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk;
  } catch (error) {
    throw bounds.explain(error);
  } finally {
    bounds.end();
  }
}

function parse(bytes: Buffer): Raw | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isRaw(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
