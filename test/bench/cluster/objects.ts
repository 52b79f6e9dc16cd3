/** The objects of a cluster as somebody creates them: what the API server and the master add is not in them. */

const NAMESPACES = 50;

export const nodeName = (number: number) => `node-${number}`;

/** Nodes without subnets, which the master gives them, and the namespaces of the pods. */
export function clusterObjects(nodes: number): readonly object[] {
  const named = (kind: string, name: string) => ({ apiVersion: 'v1', kind, metadata: { name } });
  return [
    ...Array.from({ length: nodes }, (_, number) => named('Node', nodeName(number))),
    ...podNamespaces().map(name => named('Namespace', name)),
  ];
}

export function podNamespaces(): readonly string[] {
  return Array.from({ length: NAMESPACES }, (_, number) => `team-${number}`);
}

/** What is needed to create a pod. */
export interface NewPod {
  readonly name: string;
  /** Where to post it. */
  readonly path: string;
  readonly body: object;
}

/** Pods as a Deployment makes them, bound to nodes by turns as a scheduler would. */
export function newPods(prefix: string, count: number, nodes: number): readonly NewPod[] {
  return Array.from({ length: count }, (_, number) => {
    const name = `${prefix}-${number}`;
    const namespace = `team-${number % NAMESPACES}`;
    const body = podBody(name, namespace, nodeName(number % nodes));
    return { name, path: `/api/v1/namespaces/${namespace}/pods`, body };
  });
}

function podBody(name: string, namespace: string, node: string): object {
  const app = `app-${name.length}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app, tier: 'web', 'pod-template-hash': '7d9c5b6f4d' } },
    spec: {
      nodeName: node,
      containers: [
        {
          name: 'web',
          image: 'registry.example.com/team/web:1.27.3',
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          env: Array.from({ length: 6 }, (_, number) => ({ name: `SETTING_${number}`, value: `${number}` })),
          resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
          readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10 },
        },
      ],
    },
  };
}
