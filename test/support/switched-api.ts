import { ApiError, type ApiRequest, type KubernetesApi } from '../../src/cluster/api/index.ts';
import type { Raw } from '../../src/cluster/facts/raw.ts';

/** A {@link KubernetesApi} that a test can cut off from its server for a while. */
export class SwitchedApi implements KubernetesApi {
  /** Requests that reached the server: lists, page by page, and watches. */
  readonly lists: ApiRequest[] = [];
  readonly watches: ApiRequest[] = [];
  readonly #api: KubernetesApi;
  #isOff = false;
  #streams = new AbortController();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Breaks the watches that go on, and refuses everything until {@link reconnect}. */
  disconnect(): void {
    this.#isOff = true;
    this.#streams.abort(away());
    this.#streams = new AbortController();
  }

  reconnect(): void {
    this.#isOff = false;
  }

  async request(request: ApiRequest): Promise<Raw> {
    if (this.#isOff) throw away();
    if (request.method === 'GET') this.lists.push(request);
    return this.#api.request(request);
  }

  async stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
    if (this.#isOff) throw away();
    this.watches.push(request);
    const { signal } = request;
    const ends = [this.#streams.signal, ...(signal ? [signal] : [])];
    return this.#api.stream({ ...request, signal: AbortSignal.any(ends) });
  }
}

const away = () => new ApiError('cut off by the test', { status: 0 });
