import { annotation, identityOf } from '../../cluster/facts/identity.ts';
import { attempt } from '../../cluster/facts/raw.ts';
import type { KubeObject, ObjectKey } from '../../cluster/manifest-object.ts';
import type { ReflectorListener, WatchedResource } from '../../cluster/watch/index.ts';
import type { CniPod } from '../../contracts/cni.ts';
import { Listeners } from '../listeners.ts';
import type { Changing } from '../own-node.ts';

/** The pods of this node as the API server has them. */
export interface PodInstances extends Changing {
  /** Whether all pods of the node are known. */
  readonly synced: boolean;
  /**
   * The uid in the API of the instance that a runtime means: the one of that uid, or where it names none the one there
   * is. Undefined where the API has no such instance on this node.
   */
  uidOf(pod: CniPod): string | undefined;
  hasUid(uid: string): boolean;
}

/**
 * A pod that kubelet itself was told of (a static pod) has another uid for its runtime than its mirror in the API; the
 * mirror's annotation has the runtime's.
 */
const RUNTIME_UID = 'kubernetes.io/config.mirror';

interface Instance {
  readonly uid: string;
  readonly runtimeUid: string | undefined;
}

/** Keeps the uids of the node's pods, as a reflector tells them. */
export class NodePods implements PodInstances, ReflectorListener {
  readonly #byName = new Map<string, Instance>();
  readonly #uids = new Set<string>();
  readonly #listeners = new Listeners();
  #synced = false;

  /** What the reflector has to follow. */
  static resource(node: string): WatchedResource {
    return { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods', fieldSelector: `spec.nodeName=${node}` };
  }

  get synced(): boolean {
    return this.#synced;
  }

  uidOf({ namespace, name, uid }: CniPod): string | undefined {
    const instance = this.#byName.get(`${namespace}/${name}`);
    if (!instance) return undefined;
    const isMeant = uid === undefined || uid === instance.uid || uid === instance.runtimeUid;
    return isMeant ? instance.uid : undefined;
  }

  hasUid(uid: string): boolean {
    return this.#uids.has(uid);
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  put({ namespace, name, raw }: KubeObject): void {
    const key = `${namespace}/${name}`;
    const problems: string[] = [];
    const { uid } = attempt(problems, () => identityOf(raw), { uid: '', created: '' });
    const runtimeUid = attempt(problems, () => annotation(raw, RUNTIME_UID), undefined);
    const before = this.#byName.get(key);
    if (before?.uid === uid && before.runtimeUid === runtimeUid) return;
    if (before) this.#uids.delete(before.uid);
    this.#byName.set(key, { uid, runtimeUid });
    this.#uids.add(uid);
    this.#listeners.tell();
  }

  deleted({ namespace, name }: ObjectKey): void {
    const key = `${namespace}/${name}`;
    const before = this.#byName.get(key);
    if (!before) return;
    this.#byName.delete(key);
    this.#uids.delete(before.uid);
    this.#listeners.tell();
  }

  listed(): void {
    this.#synced = true;
    this.#listeners.tell();
  }
}
