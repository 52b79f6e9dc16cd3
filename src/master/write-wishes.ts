import type { Cidr } from '../addresses/index.ts';
import type { FactStore } from '../engine/index.ts';
import { type AnnotationWish, type Facts, nodeAnnotations, podAnnotations } from '../translate/index.ts';

/** A Node or a Pod whose annotations are to change, or need not change any more. */
export interface ObjectWrite {
  readonly kind: 'Node' | 'Pod';
  readonly namespace: string | undefined;
  readonly name: string;
  readonly wish: AnnotationWish | undefined;
}

/** What is to be written back to objects: a function of the facts, computed anew for the objects that were touched. */
export class WriteWishes {
  readonly #store: FactStore<Facts>;
  readonly #clusterSubnets: readonly Cidr[];
  readonly #nodes = new Set<string>();
  readonly #pods = new Set<string>();
  /** Wishes that were told, by object: `Node a`, `Pod ns/name`. */
  readonly #open = new Set<string>();

  constructor(store: FactStore<Facts>, clusterSubnets: readonly Cidr[]) {
    this.#store = store;
    this.#clusterSubnets = clusterSubnets;
  }

  touchNode(name: string): void {
    this.#nodes.add(name);
  }

  /** `key`: `namespace/name`. */
  touchPod(key: string): void {
    this.#pods.add(key);
  }

  /** What there is to write, or not to write any more, since the last call. */
  take(): readonly ObjectWrite[] {
    const writes: ObjectWrite[] = [];
    for (const name of this.#nodes) {
      const wish = this.#nodeWish(name);
      if (this.#isNews(`Node ${name}`, wish)) writes.push({ kind: 'Node', namespace: undefined, name, wish });
    }
    for (const key of this.#pods) {
      const wish = this.#podWish(key);
      const [namespace = '', name = ''] = key.split('/');
      if (this.#isNews(`Pod ${key}`, wish)) writes.push({ kind: 'Pod', namespace, name, wish });
    }
    this.#nodes.clear();
    this.#pods.clear();
    return writes;
  }

  #nodeWish(name: string): AnnotationWish | undefined {
    const node = this.#store.get('node', name);
    return (
      node && nodeAnnotations(node, this.#store.get('nodeSubnets', name), this.#store.get('nodeId', name))
    );
  }

  #podWish(key: string): AnnotationWish | undefined {
    const pod = this.#store.get('pod', key);
    if (pod?.node === undefined) return undefined;
    const { subnets = [] } = this.#store.get('nodeSubnets', pod.node) ?? {};
    return podAnnotations(pod, this.#store.get('podAddresses', key), subnets, this.#clusterSubnets);
  }

  #isNews(object: string, wish: AnnotationWish | undefined): boolean {
    if (!wish) return this.#open.delete(object);
    this.#open.add(object);
    return true;
  }
}
