import { ApiError, type ApiRequest, type KubernetesApi } from '../../src/cluster/api/types.ts';
import { objectAt, type Raw } from '../../src/cluster/facts/raw.ts';

/** What happens to a request of one client: before it is carried out, and before its answer is there. */
export interface Weather {
  before(request: ApiRequest): Promise<void>;
  after(request: ApiRequest): Promise<void>;
}

/** An API server that has Leases and nothing else, with optimistic concurrency as the real one has it. */
export class FakeLeaseServer {
  readonly #leases = new Map<string, Raw>();
  readonly #watchers = new Set<() => void>();
  #version = 0;
  /** Every write that was carried out. */
  readonly written: Raw[] = [];

  /** The API as one client has it. */
  client(weather?: Partial<Weather>): KubernetesApi {
    return {
      request: async request => {
        await weather?.before?.(request);
        const answer = attempt(() => this.#carryOut(request));
        await weather?.after?.(request);
        if (answer instanceof ApiError) throw answer;
        return answer;
      },
      stream: async request => {
        await weather?.before?.(request);
        return this.#watch(request.signal ?? new AbortController().signal);
      },
    };
  }

  lease(): Raw | undefined {
    return [...this.#leases.values()][0];
  }

  spec(): Raw {
    return objectAt(this.lease() ?? {}, 'spec');
  }

  /** Somebody changes the Lease by hand. */
  edit(spec: Raw): void {
    for (const [path, lease] of this.#leases)
      this.#store(path, { ...lease, spec: { ...objectAt(lease, 'spec'), ...spec } });
  }

  /** Somebody deletes the Lease. */
  remove(): void {
    this.#leases.clear();
    this.#announce();
  }

  #carryOut({ method, path, body = {} }: ApiRequest): Raw {
    if (method === 'POST') {
      const name = `${path}/${objectAt(body as Raw, 'metadata').name}`;
      if (this.#leases.has(name)) throw new ApiError('already exists', { status: 409 });
      return this.#store(name, body as Raw);
    }
    const current = this.#leases.get(path);
    if (!current) throw new ApiError('leases not found', { status: 404, reason: 'NotFound' });
    if (method === 'GET') return current;
    if (method !== 'PUT') throw new ApiError(`${method} is not allowed`, { status: 405 });
    if (versionOf(body as Raw) !== versionOf(current))
      throw new ApiError('the object has been modified', { status: 409, reason: 'Conflict' });
    return this.#store(path, body as Raw);
  }

  #store(path: string, lease: Raw): Raw {
    const metadata = { ...objectAt(lease, 'metadata'), resourceVersion: String(++this.#version) };
    const stored = { ...lease, metadata };
    this.#leases.set(path, stored);
    this.written.push(stored);
    this.#announce();
    return stored;
  }

  #announce(): void {
    for (const tell of this.#watchers) tell();
  }

  async *#watch(signal: AbortSignal): AsyncIterable<Uint8Array> {
    const isOpen = () => !signal.aborted;
    while (isOpen()) {
      await this.#change(signal);
      if (isOpen()) yield new Uint8Array([10]);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#watchers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#watchers.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

function versionOf(lease: Raw): unknown {
  return objectAt(lease, 'metadata').resourceVersion;
}

function attempt(work: () => Raw): Raw | ApiError {
  try {
    return work();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}
