import { ApiError, type ApiRequest, type KubernetesApi } from '../../src/cluster/api/types.ts';
import { isRaw, objectAt, type Raw } from '../../src/cluster/facts/raw.ts';

/** What becomes of a request; without a fate it is carried out and answered. */
export type Fate =
  | { readonly kind: 'lost'; readonly carriedOut: boolean }
  | { readonly kind: 'error'; readonly status: number; readonly message?: string }
  /** It waits until {@link ModelApi.answer} is called. */
  | { readonly kind: 'held' };

/** An API server's objects by path, as far as patches and Events need one. */
export class ModelApi implements KubernetesApi {
  readonly objects = new Map<string, Raw>();
  readonly requests: ApiRequest[] = [];
  /** The fates of the next requests. */
  fates: (Fate | undefined)[] = [];
  /** Called with the path of each object that has changed. */
  onChange: (path: string) => void = () => undefined;
  #version = 100;
  #held: (() => void)[] = [];

  /** Puts an object, with a new version. */
  put(path: string, object: Raw): void {
    const metadata = { ...objectAt(object, 'metadata'), resourceVersion: String(++this.#version) };
    this.objects.set(path, { ...object, metadata });
    this.onChange(path);
  }

  delete(path: string): void {
    if (this.objects.delete(path)) this.onChange(path);
  }

  /** Lets the requests that are held go on. */
  answer(): void {
    for (const go of this.#held.splice(0)) go();
  }

  async request(request: ApiRequest): Promise<Raw> {
    this.requests.push(request);
    const fate = this.fates.shift();
    if (fate?.kind === 'held') await this.#hold(request.signal);
    if (fate?.kind === 'error') throw refusal(fate.status, fate.message ?? 'as told');
    if (fate?.kind === 'lost' && !fate.carriedOut) throw refusal(0, 'cut off');
    const answer = this.#carryOut(request);
    if (fate?.kind === 'lost') throw refusal(0, 'cut off');
    return answer;
  }

  stream(): Promise<AsyncIterable<Uint8Array>> {
    return Promise.reject(refusal(404, 'nothing is streamed here'));
  }

  #hold(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held.push(resolve);
      signal?.addEventListener('abort', () => reject(refusal(0, 'broken off')), { once: true });
    });
  }

  #carryOut({ method, path, body }: ApiRequest): Raw {
    const change = isRaw(body) ? body : {};
    if (method === 'POST')
      return this.#create(`${path}/${String(objectAt(change, 'metadata').name)}`, change);
    const target = path.replace(/\/status$/, '');
    const object = this.objects.get(target);
    if (!object) throw refusal(404, `${target} not found`);
    const metadata = objectAt(object, 'metadata');
    const { uid, resourceVersion } = objectAt(change, 'metadata');
    const isOther = uid !== undefined && uid !== metadata.uid;
    if (isOther || (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion))
      throw refusal(409, `${target} is another one`);
    const merged = mergePatch(object, change);
    if (isRaw(merged) && JSON.stringify(merged) !== JSON.stringify(object)) this.put(target, merged);
    return this.objects.get(target) ?? {};
  }

  #create(path: string, object: Raw): Raw {
    if (this.objects.has(path)) throw refusal(409, `${path} already exists`);
    this.put(path, object);
    return this.objects.get(path) ?? {};
  }
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRaw(patch)) return patch;
  const merged: Record<string, unknown> = isRaw(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function refusal(status: number, message: string): ApiError {
  return new ApiError(message, { status });
}
