import type { Cidr } from '../addresses/index.ts';
import type { FactStore } from '../engine/index.ts';
import { type AnnotationWish, type Facts, nodeAnnotations, podAnnotations } from '../translate/index.ts';

/** A Node or a Pod whose annotations are to change, or need not change any more. */
export interface ObjectWrite {
  readonly kind: 'Node' | 'Pod';
  readonly namespace: string | undefined;
  readonly name: string;
  readonly wish: VersionedWish | undefined;
}

interface VersionedWish extends AnnotationWish {
  /** The object's version that the wish was made from: what others have written since must not be written over. */
  readonly version: string | undefined;
}

/** Objects of one kind, by their facts' key. */
class Tracked {
  readonly touched = new Set<string>();
  /** Beside the facts, as a version changes with every word that anybody says of the object. */
  readonly versions = new Map<string, string>();
  /** Those whose wish was told. */
  readonly open = new Set<string>();
}

/** What is to be written back to objects: a function of the facts, computed anew for the objects that were touched. */
export class WriteWishes {
  readonly #store: FactStore<Facts>;
  readonly #clusterSubnets: readonly Cidr[];
  readonly #tracked = { node: new Tracked(), pod: new Tracked() };

  constructor(store: FactStore<Facts>, clusterSubnets: readonly Cidr[]) {
    this.#store = store;
    this.#clusterSubnets = clusterSubnets;
  }

  /** An object has come, changed or gone. `version`: its `metadata.resourceVersion`; undefined where there is none. */
  note(kind: 'node' | 'pod', key: string, version: string | undefined): void {
    const { versions } = this.#tracked[kind];
    if (version === undefined) versions.delete(key);
    else versions.set(key, version);
    this.touch(kind, key);
  }

  /** Something has changed that an object's wish may follow from. */
  touch(kind: 'node' | 'pod', key: string): void {
    this.#tracked[kind].touched.add(key);
  }

  /** What there is to write, or not to write any more, since the last call. */
  take(): readonly ObjectWrite[] {
    const { node, pod } = this.#tracked;
    return [
      ...takeFrom(
        node,
        name => this.#nodeWish(name),
        name => ({ kind: 'Node', namespace: undefined, name }),
      ),
      ...takeFrom(pod, key => this.#podWish(key), podOf),
    ];
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
}

function takeFrom(
  { touched, versions, open }: Tracked,
  wishOf: (key: string) => AnnotationWish | undefined,
  nameOf: (key: string) => Omit<ObjectWrite, 'wish'>,
): readonly ObjectWrite[] {
  const writes: ObjectWrite[] = [];
  for (const key of touched) {
    const wish = wishOf(key);
    if (wish) open.add(key);
    else if (!open.delete(key)) continue;
    writes.push({ ...nameOf(key), wish: wish && { ...wish, version: versions.get(key) } });
  }
  touched.clear();
  return writes;
}

function podOf(key: string): Omit<ObjectWrite, 'wish'> {
  const [namespace = '', name = ''] = key.split('/');
  return { kind: 'Pod', namespace, name };
}
