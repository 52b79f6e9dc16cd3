import { isRaw, type Raw } from './facts/raw.ts';
import type { KubeObject } from './manifest-object.ts';
import { SharedTexts } from './shared-texts.ts';

/** Fields that no fact reads and that take most of an object, by kind; of containers, names and ports are kept. */
const DROPPED: Readonly<
  Record<string, { readonly spec: readonly string[]; readonly status: readonly string[] }>
> = {
  'v1 Pod': {
    spec: [
      'affinity',
      'imagePullSecrets',
      'schedulerName',
      'securityContext',
      'serviceAccount',
      'tolerations',
      'topologySpreadConstraints',
      'volumes',
    ],
    status: [
      'conditions',
      'containerStatuses',
      'ephemeralContainerStatuses',
      'hostIP',
      'hostIPs',
      'initContainerStatuses',
      'qosClass',
      'startTime',
    ],
  },
  'v1 Node': { spec: [], status: ['images', 'volumesAttached', 'volumesInUse', 'nodeInfo'] },
};
const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Drops of objects what no fact reads, so that a list of all of them takes little, and keeps one copy of the texts that
 * many have: namespaces, node names, labels, times. Whatever has not the shape that it should have stays as it is.
 */
export class Trimmer {
  readonly #texts = new SharedTexts();

  trim(object: KubeObject): KubeObject {
    const dropped = DROPPED[`${object.apiVersion} ${object.kind}`];
    const { metadata, spec, status, ...rest } = object.raw;
    const raw = {
      ...rest,
      ...(metadata !== undefined && { metadata: this.#metadata(metadata) }),
      ...(spec !== undefined && { spec: this.#spec(spec, dropped?.spec ?? []) }),
      ...(status !== undefined && { status: this.#without(status, dropped?.status ?? []) }),
    };
    const { namespace } = object;
    return { ...object, namespace: namespace === undefined ? undefined : this.#texts.share(namespace), raw };
  }

  #metadata(metadata: unknown): unknown {
    if (!isRaw(metadata)) return metadata;
    const {
      managedFields: _,
      ownerReferences: __,
      generateName: ___,
      labels,
      annotations,
      ...rest
    } = metadata;
    return {
      ...this.#shared(rest, []),
      ...(labels !== undefined && { labels: this.#without(labels, []) }),
      ...(annotations !== undefined && { annotations: this.#without(annotations, [LAST_APPLIED]) }),
    };
  }

  #spec(spec: unknown, fields: readonly string[]): unknown {
    if (!isRaw(spec) || fields.length === 0) return spec;
    const trimmed = this.#shared(spec, fields);
    for (const field of CONTAINERS) {
      const containers = trimmed[field];
      if (Array.isArray(containers)) trimmed[field] = containers.map(namesAndPorts);
    }
    return trimmed;
  }

  #without(value: unknown, fields: readonly string[]): unknown {
    return isRaw(value) ? this.#shared(value, fields) : value;
  }

  /** The object without these fields, with its texts shared. */
  #shared(value: Raw, fields: readonly string[]): Record<string, unknown> {
    const kept: Record<string, unknown> = {};
    for (const [field, content] of Object.entries(value)) {
      if (!fields.includes(field))
        kept[field] = typeof content === 'string' ? this.#texts.share(content) : content;
    }
    return kept;
  }
}

function namesAndPorts(container: unknown): unknown {
  if (!isRaw(container)) return container;
  const { name, ports } = container;
  return { name, ...(ports !== undefined && { ports }) };
}
