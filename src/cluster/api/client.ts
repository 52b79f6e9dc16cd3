import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
// Parts of the package by their files: its index loads a class for each kind of object, 80 MB and 0.7 s for nothing.
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
  type User,
} from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { parse } from 'yaml';
import { isRaw, listOf, objectAt, type Raw, textOf } from '../facts/raw.ts';
import { type Access, AccessError, bearer, type Identity } from './access.ts';
import { saidBy } from './causes.ts';
import { HttpKubernetes, type KubernetesClient } from './http.ts';
import { inClusterAccess } from './in-cluster.ts';
import { RotatingFile } from './rotating-file.ts';
import { TlsFiles } from './tls-files.ts';

/** How to get at the API server: by a kubeconfig's current context, or by the service account of the pod that we are. */
export type KubernetesAccess = { readonly kubeconfig: string } | 'in-cluster';

/**
 * A client of the API server. Nothing is sent yet. Throws {@link AccessError} where the kubeconfig cannot be used, or
 * where there is no service account.
 */
export function openKubernetes(source: KubernetesAccess): KubernetesClient {
  const access = source === 'in-cluster' ? inClusterAccess() : kubeconfigAccess(source.kubeconfig);
  return new HttpKubernetes(access);
}

/** What answers "who are you": asked before each request. */
type Credential = () => Promise<Partial<Identity>>;

interface Chosen {
  readonly context: Context;
  readonly cluster: Cluster;
  readonly user: User;
  /** The user as written, for fields that client-node passes over. */
  readonly rawUser: Raw;
}

/** The access that the current context of a kubeconfig gives. Throws {@link AccessError}. */
function kubeconfigAccess(file: string): Access {
  const { context, cluster, user, rawUser } = choose(file, readKubeconfig(file));
  const server = serverOf(file, cluster);
  const folder = dirname(file);
  const tlsFiles = new TlsFiles(file, { cluster, user });
  const exec = user.exec ? new ExecCredential(user) : undefined;
  const tokenPath = textOf(rawUser, 'tokenFile', 'user');
  const tokenFile =
    tokenPath === undefined ? undefined : new RotatingFile(resolve(folder, tokenPath), 'the token file');
  const credential = exec?.get ?? credentialOf(user, tokenFile);
  const impersonation = user.impersonateUser ? { 'impersonate-user': user.impersonateUser } : {};
  return {
    server,
    who: `user "${user.name}" of ${file}`,
    namespace: context.namespace,
    identify: async () => {
      const { headers, tls } = await credential();
      return { headers: { ...headers, ...impersonation }, tls: { ...tlsFiles.read(), ...tls } };
    },
    doubt: () => {
      exec?.forget();
      tokenFile?.forget();
      tlsFiles.forget();
    },
  };
}

function readKubeconfig(file: string): Raw {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AccessError(`cannot read the kubeconfig ${file}: ${saidBy(cause)}`, { cause });
  }
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new AccessError(`the kubeconfig ${file} is no YAML: ${saidBy(cause)}`, { cause });
  }
  if (!isRaw(document)) throw new AccessError(`the kubeconfig ${file} is empty or no mapping`);
  return document;
}

function choose(file: string, document: Raw): Chosen {
  try {
    const name = textOf(document, 'current-context', 'kubeconfig');
    if (name === undefined) {
      throw new Error('it has no current-context: set one with "kubectl config use-context NAME"');
    }
    const context = named(newContexts(listOf(document, 'contexts', 'kubeconfig')), 'context', name);
    const cluster = named(
      newClusters(listOf(document, 'clusters', 'kubeconfig')),
      'cluster',
      context.cluster,
    );
    const users = listOf(document, 'users', 'kubeconfig');
    const user = named(newUsers(users), 'user', context.user ?? '');
    const rawUser = users.filter(isRaw).find(entry => entry.name === user.name);
    refuseUnsupported(cluster, user);
    return { context, cluster, user, rawUser: objectAt(rawUser ?? {}, 'user') };
  } catch (cause) {
    throw new AccessError(`the kubeconfig ${file} cannot be used: ${saidBy(cause)}`, { cause });
  }
}

function named<T extends { readonly name: string }>(entries: readonly T[], what: string, name: string): T {
  const entry = entries.find(candidate => candidate.name === name);
  if (entry === undefined) throw new Error(`there is no ${what} "${name}" in it`);
  return entry;
}

function refuseUnsupported(cluster: Cluster, user: User): void {
  if (cluster.proxyUrl) throw new Error(`cluster "${cluster.name}": proxy-url is not supported`);
  if (user.authProvider) {
    throw new Error(`user "${user.name}": auth-provider is not supported, use an exec plugin instead`);
  }
}

function serverOf(file: string, cluster: Cluster): URL {
  if (/^https?:/.test(cluster.server) && URL.canParse(cluster.server)) return new URL(cluster.server);
  throw new AccessError(
    `the kubeconfig ${file} cannot be used: the server of cluster "${cluster.name}" is "${cluster.server}", which is no http(s) URL`,
  );
}

function credentialOf(user: User, tokenFile: RotatingFile | undefined): Credential {
  if (tokenFile !== undefined) return async () => ({ headers: bearer(tokenFile.read().toString('utf8')) });
  const { token, username, password } = user;
  if (token) return async () => ({ headers: bearer(token) });
  if (!username) return async () => ({});
  const basic = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  return async () => ({ headers: { authorization: `Basic ${basic}` } });
}

/** What an exec plugin gave counts for so many ms where it does not say when it expires. */
const EXEC_FRESH = 60_000;

/** The credential of an exec plugin (Kubernetes: "client-go credential plugins"). One run serves all who wait. */
class ExecCredential {
  readonly #user: User;
  #auth = new ExecAuth();
  #got: { readonly at: number; readonly identity: Promise<Partial<Identity>> } | undefined;

  constructor(user: User) {
    this.#user = { ...user, exec: withExecInfo(user.exec) };
  }

  readonly get = (): Promise<Partial<Identity>> => {
    const now = performance.now();
    if (this.#got !== undefined && now - this.#got.at < EXEC_FRESH) return this.#got.identity;
    const identity = this.#run();
    const got = { at: now, identity };
    this.#got = got;
    identity.catch(() => {
      if (this.#got === got) this.#got = undefined;
    });
    return identity;
  };

  forget(): void {
    this.#auth = new ExecAuth();
    this.#got = undefined;
  }

  async #run(): Promise<Partial<Identity>> {
    const options: { headers: Record<string, string>; cert?: string; key?: string } = { headers: {} };
    try {
      await this.#auth.applyAuthentication(this.#user, options);
    } catch (cause) {
      const { command } = this.#user.exec;
      throw new AccessError(
        `user "${this.#user.name}": the exec plugin ${command} failed: ${saidBy(cause)}`,
        { cause },
      );
    }
    const { headers, cert, key } = options;
    return {
      headers,
      ...(cert && key && { tls: { cert: Buffer.from(cert), key: Buffer.from(key) } }),
    };
  }
}

/** Plugins ask KUBERNETES_EXEC_INFO for the version to answer in; client-node does not set it. */
function withExecInfo(exec: Raw): Raw {
  const info = {
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    spec: { interactive: false },
  };
  const env = listOf(exec, 'env', 'user.exec');
  return { ...exec, env: [{ name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }, ...env] };
}
