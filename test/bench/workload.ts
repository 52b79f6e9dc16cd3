/** The cluster of the benchmarks, as Kubernetes objects. */
import type { KubeObject } from '../../src/cluster/manifests.ts';

const POD_NAMESPACES = 50;

/** Nodes with an IPv4 and an IPv6 subnet each, and the namespaces of the pods. */
export function cluster(nodes: number): readonly KubeObject[] {
  return [
    ...numbers(nodes, number => node(number)),
    ...numbers(POD_NAMESPACES, number => object('Namespace', undefined, `team-${number}`, {})),
  ];
}

/** Pods, spread over the nodes, without addresses: the product allocates them. */
export function pods(count: number, nodes: number): readonly KubeObject[] {
  return numbers(count, number => pod(`web-${number}`, number, number % nodes, []));
}

/** A pod that comes and goes, with given addresses: `host` is the last part of them, at most 254. */
export function guest(number: number, nodes: number, host: number): KubeObject {
  const home = number % nodes;
  const addresses = [`${subnet4(home)}.${host}`, `${subnet6(home)}::${host.toString(16)}`];
  return pod(`guest-${number}`, number, home, addresses);
}

function node(number: number): KubeObject {
  return object('Node', undefined, nodeName(number), {
    spec: { podCIDRs: [`${subnet4(number)}.0/24`, `${subnet6(number)}::/64`] },
  });
}

function pod(name: string, number: number, home: number, addresses: readonly string[]): KubeObject {
  return object('Pod', `team-${number % POD_NAMESPACES}`, name, {
    spec: {
      nodeName: nodeName(home),
      containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 8080, protocol: 'TCP' }] }],
    },
    status: { phase: 'Running', podIPs: addresses.map(ip => ({ ip })) },
  });
}

function object(kind: string, namespace: string | undefined, name: string, content: object): KubeObject {
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid: `uid-of-${kind}-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { app: 'web' },
  };
  return {
    apiVersion: 'v1',
    kind,
    namespace,
    name,
    raw: { apiVersion: 'v1', kind, metadata, ...content },
  };
}

const nodeName = (number: number) => `node-${number}`;
const subnet4 = (number: number) => `10.200.${number}`;
const subnet6 = (number: number) => `fd02:0:0:${number.toString(16)}`;

function numbers<T>(count: number, make: (number: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, number) => make(number));
}
