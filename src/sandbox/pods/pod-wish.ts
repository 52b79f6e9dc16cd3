import { createHash } from 'node:crypto';
import { podFact } from '../../cluster/facts/index.ts';
import { isRaw, listOf, objectAt, type Raw } from '../../cluster/facts/raw.ts';
import type { KubeObject } from '../../cluster/manifest-source.ts';

/** A pod as the manifests, or the API server, want it. */
export interface PodWish {
  /** The same for the same pod on the same node, and for no other. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  /** It lives in its node's network and has none of its own: nothing is attached, it only answers. */
  readonly hostNetwork?: true;
  /** `tcp:80`, `udp:53`, `sctp:9`; each once, in order. */
  readonly ports: readonly string[];
}

/** What a kubelet on one of `nodes` would attach of an object: undefined where that is nothing. */
export function podWish(object: KubeObject, nodes: ReadonlySet<string>): PodWish | undefined {
  const wish = boundPodWish(object, nodes);
  return wish?.hostNetwork ? undefined : wish;
}

/** Like {@link podWish}, but with the pods that live in their node's network. */
export function boundPodWish(object: KubeObject, nodes: ReadonlySet<string>): PodWish | undefined {
  if (object.kind !== 'Pod' || object.apiVersion !== 'v1' || object.namespace === undefined) return undefined;
  const pod = podFact(object.namespace, object.name, object.raw);
  const { namespace, name, instance: uid, node } = pod;
  if (node === undefined || !nodes.has(node) || pod.finished) return undefined;
  const id = createHash('sha256').update([namespace, name, uid, node].join('\0')).digest('hex').slice(0, 12);
  const place = pod.hostNetwork ? { node, hostNetwork: true as const } : { node };
  return { id: `p${id}`, namespace, name, uid, ...place, ports: declaredPorts(object.raw) };
}

/** The `containerPort`s of all containers that go on running, each once. Ports that make no sense are left out. */
export function declaredPorts(pod: Raw): readonly string[] {
  const spec = objectAt(pod, 'spec');
  const sidecars = listOf(spec, 'initContainers', 'spec').filter(
    container => isRaw(container) && container.restartPolicy === 'Always',
  );
  const ports = [...listOf(spec, 'containers', 'spec'), ...sidecars].flatMap(container =>
    isRaw(container) && Array.isArray(container.ports) ? container.ports.flatMap(portText) : [],
  );
  return [...new Set(ports)].sort();
}

function portText(port: unknown): readonly string[] {
  if (!isRaw(port)) return [];
  const { containerPort, protocol } = port;
  const name = typeof protocol === 'string' && protocol !== '' ? protocol.toLowerCase() : 'tcp';
  const number = Number(containerPort);
  const known = ['tcp', 'udp', 'sctp'].includes(name) && Number.isInteger(number);
  return known && number > 0 && number < 65_536 ? [`${name}:${number}`] : [];
}
