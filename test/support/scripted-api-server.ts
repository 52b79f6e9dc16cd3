import type { ServerResponse } from 'node:http';
import { type KubernetesClient, openKubernetes } from '../../src/cluster/api/index.ts';
import { type Answer, type Asked, ScriptedHttpServer, sendJson, sendStatus } from './scripted-http-server.ts';

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** An object of the core group; the server gives it uid and resourceVersion. */
export interface Stored {
  readonly apiVersion: 'v1';
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored;
}

const KINDS: Readonly<Record<string, string>> = {
  configmaps: 'ConfigMap',
  namespaces: 'Namespace',
  nodes: 'Node',
  pods: 'Pod',
};

/** `/api/v1/pods`, `/api/v1/namespaces/shop/pods/web-0`. */
const PATH =
  /^\/api\/v1(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+))?$/;

/** One watch, as the server sees it. */
export class Watcher {
  readonly asked: Asked;
  readonly response: ServerResponse;
  /** The connection is cut after so many bytes of events. */
  cutAfter: number;
  /** Swallows events: the connection is there, and nothing comes. */
  deaf = false;

  constructor(asked: Asked, response: ServerResponse, cutAfter: number) {
    this.asked = asked;
    this.response = response;
    this.cutAfter = cutAfter;
  }

  send(type: string, object: unknown): void {
    if (this.deaf) return;
    const bytes = Buffer.from(`${JSON.stringify({ type, object })}\n`);
    const sent = bytes.subarray(0, this.cutAfter);
    this.cutAfter -= sent.length;
    this.response.write(sent, () => {
      if (sent.length < bytes.length) this.response.destroy();
    });
  }
}

/**
 * An API server of a few kinds in memory that lists, watches and writes as Kubernetes does, and that fails as a test
 * says. A test on the real one holds that both tell the same.
 */
export class ScriptedApiServer {
  readonly http: ScriptedHttpServer;
  /** Watches that go on. */
  readonly watchers = new Set<Watcher>();
  /** For the next watch: how many bytes of events it gives before it is cut. */
  cutAfter = Number.POSITIVE_INFINITY;
  readonly #clients: KubernetesClient[] = [];
  readonly #objects = new Map<string, Stored>();
  readonly #continued = new Map<string, readonly Stored[]>();
  readonly #overrides: { readonly kind: 'list' | 'watch'; readonly answer: Answer }[] = [];
  #history: Change[] = [];
  #version = 1000;
  #compacted = 0;

  private constructor(http: ScriptedHttpServer) {
    this.http = http;
  }

  static async listen(): Promise<ScriptedApiServer> {
    const http = await ScriptedHttpServer.listen((asked, response) => server.#answer(asked, response));
    const server = new ScriptedApiServer(http);
    return server;
  }

  /** A client; closed with the server. */
  client(): KubernetesClient {
    const client = openKubernetes({ kubeconfig: this.http.kubeconfig() });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.http.close();
  }

  /** Answers the next list or watch otherwise. */
  next(kind: 'list' | 'watch', answer: Answer): void {
    this.#overrides.push({ kind, answer });
  }

  /** Lists so far, each page; or watches. */
  asked(kind: 'list' | 'watch'): readonly Asked[] {
    return this.http.asked.filter(asked => kindOf(asked) === kind);
  }

  /** Creates the object, or changes it where it is there. */
  put(resource: string, metadata: Metadata, fields: object = {}): void {
    const key = keyOf(resource, metadata);
    const known = this.#objects.get(key);
    const version = ++this.#version;
    const object: Stored = {
      apiVersion: 'v1',
      kind: KINDS[resource] ?? resource,
      metadata: {
        ...metadata,
        uid: known?.metadata.uid ?? `uid-${version}`,
        resourceVersion: String(version),
      },
      ...fields,
    };
    this.#objects.set(key, object);
    this.#tell({ version, type: known === undefined ? 'ADDED' : 'MODIFIED', object });
  }

  delete(resource: string, metadata: Metadata): void {
    const key = keyOf(resource, metadata);
    const known = this.#objects.get(key);
    if (known === undefined) throw new Error(`there is no ${key}`);
    this.#objects.delete(key);
    const version = ++this.#version;
    const object = { ...known, metadata: { ...known.metadata, resourceVersion: String(version) } };
    this.#tell({ version, type: 'DELETED', object });
  }

  /** Forgets what was before now: older watches and continued lists end with 410. */
  compact(): void {
    this.#compacted = this.#version;
    this.#history = [];
    this.#continued.clear();
  }

  /** Tells every watch how far it is. */
  bookmark(): void {
    for (const watcher of this.watchers) {
      const metadata = { resourceVersion: String(this.#version), creationTimestamp: null };
      watcher.send('BOOKMARK', { kind: kindOfWatch(watcher), apiVersion: 'v1', metadata });
    }
  }

  /** Sends an event to every watch. */
  send(type: string, object: unknown): void {
    for (const watcher of this.watchers) watcher.send(type, object);
  }

  /** Writes into every watch, as it is. */
  write(bytes: string | Uint8Array): void {
    for (const { response } of this.watchers) response.write(bytes);
  }

  /** Ends every watch in order, as after timeoutSeconds. */
  endWatches(): void {
    for (const watcher of this.watchers) watcher.response.end();
  }

  /** Stops telling, without a word: half-open connections. */
  deafen(): void {
    for (const watcher of this.watchers) watcher.deaf = true;
  }

  #answer(asked: Asked, response: ServerResponse): void {
    const kind = kindOf(asked);
    const index = this.#overrides.findIndex(override => override.kind === kind);
    const [override] = index < 0 ? [] : this.#overrides.splice(index, 1);
    if (override !== undefined) override.answer(asked, response);
    else if (kind === 'watch') this.#watch(asked, response);
    else if (kind === 'list') this.#list(asked, response);
    else this.#write(asked, response);
  }

  #list(asked: Asked, response: ServerResponse): void {
    const limit = Number(asked.query.get('limit') ?? Number.POSITIVE_INFINITY);
    const token = asked.query.get('continue');
    const all =
      token === null ? [...this.#objects.values()].filter(matches(asked)) : this.#continued.get(token);
    if (all === undefined) {
      sendStatus(
        response,
        410,
        'Expired',
        'The provided continue parameter is too old to display a consistent list',
      );
      return;
    }
    const version = token?.split('/')[0] ?? String(this.#version);
    const rest = all.slice(limit);
    const continued = rest.length === 0 ? undefined : `${version}/${rest.length}`;
    if (continued !== undefined) this.#continued.set(continued, rest);
    // In lists, items have neither kind nor apiVersion.
    const items = all.slice(0, limit).map(({ apiVersion: _, kind: __, ...item }) => item);
    const metadata = { resourceVersion: version, ...(continued && { continue: continued }) };
    sendJson(response, { kind: `${kindOfPath(asked)}List`, apiVersion: 'v1', metadata, items });
  }

  #watch(asked: Asked, response: ServerResponse): void {
    const from = Number(asked.query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watcher = new Watcher(asked, response, this.cutAfter);
    this.cutAfter = Number.POSITIVE_INFINITY;
    if (from < this.#compacted) {
      watcher.send('ERROR', expired(from));
      response.end();
      return;
    }
    this.watchers.add(watcher);
    response.on('close', () => this.watchers.delete(watcher));
    for (const change of this.#history) if (change.version > from) this.#tellOne(watcher, change);
  }

  /** Create, update and delete, as far as tests use them. */
  #write({ method, path, body }: Asked, response: ServerResponse): void {
    const { namespace, resource = '', name } = PATH.exec(path)?.groups ?? {};
    const scope = namespace === undefined ? {} : { namespace };
    if (method === 'DELETE' && name !== undefined) {
      this.delete(resource, { name, ...scope });
    } else {
      const { metadata, apiVersion: _, kind: __, ...fields } = JSON.parse(body);
      this.put(resource, { name: metadata.name, ...scope }, fields);
    }
    sendJson(response, { kind: 'Status', status: 'Success' });
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const watcher of this.watchers) this.#tellOne(watcher, change);
  }

  #tellOne(watcher: Watcher, { type, object, version }: Change): void {
    if (!ofCollection(watcher.asked)(object)) return;
    const isMember = selected(watcher.asked)(object);
    const before = this.#history.findLast(
      change => change.version < version && keyOfObject(change.object) === keyOfObject(object),
    );
    const wasMember =
      before !== undefined && before.type !== 'DELETED' && selected(watcher.asked)(before.object);
    if (type === 'DELETED') {
      if (isMember) watcher.send('DELETED', object);
    } else if (isMember) watcher.send(type === 'MODIFIED' && !wasMember ? 'ADDED' : type, object);
    else if (wasMember) watcher.send('DELETED', object);
  }
}

function kindOf({ method, path, query }: Asked): 'list' | 'watch' | 'write' {
  if (method !== 'GET' || PATH.exec(path)?.groups?.name !== undefined) return 'write';
  return query.get('watch') === 'true' ? 'watch' : 'list';
}

function kindOfPath({ path }: Asked): string {
  const resource = PATH.exec(path)?.groups?.resource ?? '';
  return KINDS[resource] ?? resource;
}

const kindOfWatch = (watcher: Watcher): string => kindOfPath(watcher.asked);

function keyOf(resource: string, { namespace = '', name }: Metadata): string {
  return `${KINDS[resource] ?? resource} ${namespace}/${name}`;
}

const keyOfObject = ({ kind, metadata }: Stored): string => keyOf(kind, metadata);

function matches(asked: Asked): (object: Stored) => boolean {
  return object => ofCollection(asked)(object) && selected(asked)(object);
}

function ofCollection(asked: Asked): (object: Stored) => boolean {
  const namespace = PATH.exec(asked.path)?.groups?.namespace;
  return ({ kind, metadata }) =>
    kind === kindOfPath(asked) && (namespace === undefined || namespace === metadata.namespace);
}

/** `metadata.name=web-0`, `spec.nodeName=worker-1`. */
function selected({ query }: Asked): (object: Stored) => boolean {
  const [path = '', value] = query.get('fieldSelector')?.split('=') ?? [];
  return object => value === undefined || at(object, path.split('.')) === value;
}

function at(value: unknown, path: readonly string[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  return typeof value === 'object' && value !== null
    ? at(Object.entries(value).find(([key]) => key === step)?.[1], rest)
    : undefined;
}

function expired(from: number): object {
  const message = `The resourceVersion for the provided watch is too old: ${from}`;
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message };
}
