import { ApiError, type KubernetesApi } from '../api/types.ts';
import type { Raw } from '../facts/raw.ts';
import { type LeaseRecord, leaseRecord } from './record.ts';

/** How long one watch of the Lease lasts, in seconds: a connection that died unnoticed is replaced after that. */
const WATCH_SECONDS = 300;

/** One Lease in the API. Nothing is retried here; errors are {@link ApiError}. */
export class LeaseStore {
  readonly namespace: string;
  readonly name: string;
  readonly #api: KubernetesApi;
  readonly #timeout: number;

  /** `timeout`: for each request, in ms. */
  constructor(
    api: KubernetesApi,
    {
      namespace,
      name,
      timeout,
    }: { readonly namespace: string; readonly name: string; readonly timeout: number },
  ) {
    this.#api = api;
    this.namespace = namespace;
    this.name = name;
    this.#timeout = timeout;
  }

  /** The Lease, or undefined where there is none. */
  async read(): Promise<LeaseRecord | undefined> {
    try {
      return leaseRecord(await this.#request('GET', this.#object));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async create(lease: Raw): Promise<LeaseRecord> {
    return leaseRecord(await this.#request('POST', this.#collection, lease));
  }

  /** Replaces the Lease where it still has the version that `lease` has; 409 otherwise. */
  async replace(lease: Raw): Promise<LeaseRecord> {
    return leaseRecord(await this.#request('PUT', this.#object, lease));
  }

  /** Calls `changed` when something happens to the Lease, until the watch ends. */
  async watch(changed: () => void, signal: AbortSignal): Promise<void> {
    const query = {
      watch: 'true',
      fieldSelector: `metadata.name=${this.name}`,
      timeoutSeconds: String(WATCH_SECONDS),
    };
    const chunks = await this.#api.stream({ method: 'GET', path: this.#collection, query, signal });
    for await (const chunk of chunks) if (chunk.length > 0) changed();
  }

  #request(method: 'GET' | 'POST' | 'PUT', path: string, body?: Raw): Promise<Raw> {
    const request = { method, path, timeout: this.#timeout };
    return this.#api.request(body === undefined ? request : { ...request, body });
  }

  get #collection(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(this.namespace)}/leases`;
  }

  get #object(): string {
    return `${this.#collection}/${encodeURIComponent(this.name)}`;
  }
}

/** What is wrong, and what to do about it. */
export function describeTrouble(error: unknown, { namespace, name }: LeaseStore): string {
  const lease = `the Lease ${namespace}/${name}`;
  if (!(error instanceof ApiError)) return `${lease}: ${error instanceof Error ? error.message : error}`;
  const { status, message } = error;
  if (status === 404)
    return `${lease} cannot be made: create the namespace ${namespace}, or name another one (${message})`;
  if (status === 403)
    return `${lease} is not ours to use: grant get, create, update and watch on leases.coordination.k8s.io in ${namespace} (${message})`;
  if (status === 401) return `the API server does not know who we are: check the credentials (${message})`;
  if (status === 0) return `the API server is not to be reached for ${lease}: ${message}`;
  return `${lease}: ${message}`;
}
