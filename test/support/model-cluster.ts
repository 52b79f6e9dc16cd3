import { isRaw, objectAt, type Raw } from '../../src/cluster/facts/raw.ts';
import type { KubeObject, ObjectKey } from '../../src/cluster/manifests.ts';
import type { Config } from '../../src/config/index.ts';
import { Translation } from '../../src/master/translation.ts';
import { WriteBack } from '../../src/master/write-back.ts';
import type { FakeClock } from './fake-clock.ts';
import type { ModelApi } from './model-api.ts';

const silent = () => undefined;

/** A leading master without a northbound: objects in, annotations and Events out. It learns of changes when it is told. */
export class ModelMaster {
  readonly translation: Translation;
  readonly writeBack: WriteBack;
  readonly #api: ModelApi;
  /** Paths of objects that have changed since the last look. */
  readonly #changed = new Set<string>();
  #leads = true;

  constructor(api: ModelApi, clock: FakeClock, config: Config) {
    this.#api = api;
    this.translation = new Translation(config, { objectsRemember: true });
    this.writeBack = new WriteBack({
      api,
      objects: this.translation,
      instance: 'model',
      mayWrite: () => this.#leads,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      clock,
      random: () => 0.5,
      date: () => new Date(clock.now()),
    });
    for (const path of api.objects.keys()) this.#changed.add(path);
    this.look();
    this.translation.startAllocating();
    this.translation.run();
    this.writeBack.start();
  }

  changed(path: string): void {
    this.#changed.add(path);
  }

  /** Reads all that has changed, each object as it is now. */
  look(): void {
    const put: KubeObject[] = [];
    const deleted: ObjectKey[] = [];
    for (const path of this.#changed) {
      const key = keyOf(path);
      const raw = this.#api.objects.get(path);
      if (key && raw) put.push({ ...key, raw });
      else if (key) deleted.push(key);
    }
    this.#changed.clear();
    this.translation.apply({ put, deleted });
    this.writeBack.take();
  }

  /** As kill -9: what is under way may still arrive, nothing follows. */
  kill(): void {
    this.#leads = false;
    this.writeBack.stop();
  }
}

function keyOf(path: string): ObjectKey | undefined {
  const [, namespace, pod] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(path) ?? [];
  if (pod !== undefined) return { apiVersion: 'v1', kind: 'Pod', namespace, name: pod };
  const [, node] = /^\/api\/v1\/nodes\/([^/]+)$/.exec(path) ?? [];
  return node === undefined
    ? undefined
    : { apiVersion: 'v1', kind: 'Node', namespace: undefined, name: node };
}

/** The annotation's entry for the default network; undefined where there is none that can be read. */
export function shownNetwork(object: Raw, annotation: string): unknown {
  const text = objectAt(object, 'metadata', 'annotations')[`k8s.ovn.org/${annotation}`];
  try {
    const networks: unknown = JSON.parse(String(text));
    return isRaw(networks) ? networks.default : undefined;
  } catch {
    return undefined;
  }
}

/** The addresses, without prefix, that a Pod's annotation shows. */
export function shownIps(pod: Raw): readonly string[] {
  const network = shownNetwork(pod, 'pod-networks');
  const addresses = isRaw(network) ? network.ip_addresses : undefined;
  return Array.isArray(addresses) ? addresses.map(address => String(address).replace(/\/.*/, '')) : [];
}

/** The addresses that a Pod runs with. */
export function runningIps(pod: Raw): readonly string[] {
  const { podIPs } = objectAt(pod, 'status');
  return Array.isArray(podIPs) ? podIPs.map(entry => (isRaw(entry) ? String(entry.ip) : '')) : [];
}
