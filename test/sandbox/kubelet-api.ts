import { ApiError, type ApiRequest, type KubernetesApi } from '../../src/cluster/api/types.ts';
import { isRaw, objectAt, type Raw } from '../../src/cluster/facts/raw.ts';

/** A small API server: objects by path, the patches that a kubelet sends, and what it was asked. */
export class KubeletApi implements KubernetesApi {
  readonly objects = new Map<string, Raw>();
  /** `METHOD path`, but for reads. */
  readonly asked: string[] = [];
  /** What the patches and deletions said, in order. */
  readonly bodies: unknown[] = [];
  /** The next answers, instead of the true ones. */
  readonly failures: ApiError[] = [];
  /** While it is set, no request is answered. */
  down = false;
  /** While it is set, requests are refused whose path has this in it. */
  refusing: string | undefined;

  async request({ method, path, body, contentType }: ApiRequest): Promise<Raw> {
    await Promise.resolve();
    if (method !== 'GET') this.asked.push(`${method} ${path}`);
    if (this.down) throw new ApiError('connection refused', { status: 0 });
    if (this.refusing !== undefined && path.includes(this.refusing))
      throw new ApiError('forbidden', { status: 403, reason: 'Forbidden' });
    const failure = this.failures.shift();
    if (failure) throw failure;
    if (method !== 'GET') this.bodies.push(body);
    if (method === 'POST') return this.#create(path, body as Raw);
    const place = path.replace(/\/status$/, '');
    const found = this.objects.get(place);
    if (!found) throw new ApiError('not found', { status: 404, reason: 'NotFound' });
    if (method === 'GET') return found;
    this.#checkUid(found, objectAt(body as Raw, method === 'DELETE' ? 'preconditions' : 'metadata').uid);
    if (method === 'DELETE') {
      this.objects.delete(place);
      return {};
    }
    const patched = merge(found, body as Raw, contentType?.includes('strategic') ?? false) as Raw;
    this.objects.set(place, patched);
    return patched;
  }

  async stream(): Promise<AsyncIterable<Uint8Array>> {
    throw new Error('nothing is streamed here');
  }

  #create(path: string, body: Raw): Raw {
    const place = `${path}/${String(objectAt(body, 'metadata').name)}`;
    if (this.objects.has(place))
      throw new ApiError('there already', { status: 409, reason: 'AlreadyExists' });
    const made = { ...body, metadata: { ...objectAt(body, 'metadata'), uid: `uid of ${place}` } };
    this.objects.set(place, made);
    return made;
  }

  #checkUid(found: Raw, wanted: unknown): void {
    if (wanted === undefined || wanted === objectAt(found, 'metadata').uid) return;
    throw new ApiError('Precondition failed: UID', { status: 409, reason: 'Conflict' });
  }
}

/** RFC 7386; with `strategic` conditions are merged by type and addresses by themselves, as the API server does. */
function merge(old: unknown, patch: unknown, strategic: boolean, field = ''): unknown {
  if (strategic && Array.isArray(patch)) return mergeList(old, patch.filter(isRaw), field);
  if (!isRaw(patch)) return patch;
  const merged: Record<string, unknown> = { ...(isRaw(old) ? old : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value, strategic, key);
  }
  return merged;
}

const MERGE_KEYS: Readonly<Record<string, string>> = {
  conditions: 'type',
  podIPs: 'ip',
  hostIPs: 'ip',
  addresses: 'type',
};

function mergeList(old: unknown, patch: readonly Raw[], field: string): readonly Raw[] {
  const key = MERGE_KEYS[field];
  const items = patch.filter(item => !('$patch' in item));
  if (key === undefined || items.length < patch.length || !Array.isArray(old)) return items;
  const kept = old.filter(isRaw).filter(had => !items.some(item => item[key] === had[key]));
  const changed = items.map(item => ({ ...old.filter(isRaw).find(had => had[key] === item[key]), ...item }));
  return [...kept, ...changed];
}
