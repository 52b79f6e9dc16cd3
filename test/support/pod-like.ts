/** A Pod as an API server with controllers and a kubelet has it: some 6 KB of JSON. */
export function podLike(index: number, resourceVersion: number): object {
  const app = `app-${index % 400}`;
  const name = `${app}-7d9c5b6f4${index % 10}-${(index * 7919).toString(36).padStart(5, 'x').slice(-5)}`;
  const uid = `${index.toString(16).padStart(8, '0')}-5b1c-4c0e-9f1d-${(index * 31).toString(16).padStart(12, '0')}`;
  const created = new Date(1.7e12 + index * 250).toISOString().replace(/\.\d+/, '');
  const ip = `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  const labels = {
    app,
    'pod-template-hash': `7d9c5b6f4${index % 10}`,
    tier: 'web',
    team: `team-${index % 20}`,
  };
  return {
    metadata: {
      name,
      generateName: `${app}-`,
      namespace: `team-${index % 20}`,
      uid,
      resourceVersion: String(resourceVersion),
      creationTimestamp: created,
      labels,
      annotations: {
        'kubectl.kubernetes.io/restartedAt': created,
        'k8s.ovn.org/pod-networks': JSON.stringify({
          default: {
            ip_addresses: [`${ip}/16`],
            mac_address: '0a:58:0a:80:00:05',
            gateway_ips: ['10.128.0.1'],
            ip_address: `${ip}/16`,
            gateway_ip: '10.128.0.1',
          },
        }),
      },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-7d9c5b6f4`, uid, controller: true },
      ],
      managedFields: ['kube-controller-manager', 'kubelet', 'kube-northbound'].map(manager => ({
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time: created,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': Object.fromEntries(
            Array.from({ length: 24 }, (_, field) => [`f:field-${field}`, {}]),
          ),
        },
      })),
    },
    spec: {
      volumes: [
        {
          name: 'kube-api-access',
          projected: { sources: Array(3).fill({ serviceAccountToken: { path: 'token' } }) },
        },
      ],
      containers: [
        {
          name: 'web',
          image: 'registry.example.com/team/web:1.27.3',
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          env: Array.from({ length: 12 }, (_, variable) => ({
            name: `VARIABLE_${variable}`,
            value: `value ${variable}`,
          })),
          resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
          volumeMounts: [
            { name: 'kube-api-access', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
          ],
          livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10 },
        },
      ],
      nodeName: `worker-${index % 500}`,
      serviceAccountName: 'default',
      tolerations: Array(2).fill({
        key: 'node.kubernetes.io/not-ready',
        operator: 'Exists',
        effect: 'NoExecute',
      }),
    },
    status: {
      phase: 'Running',
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(type => ({
        type,
        status: 'True',
        lastProbeTime: null,
        lastTransitionTime: created,
      })),
      hostIP: '192.0.2.1',
      podIP: ip,
      podIPs: [{ ip }],
      startTime: created,
      containerStatuses: [
        {
          name: 'web',
          state: { running: { startedAt: created } },
          ready: true,
          restartCount: 0,
          image: 'registry.example.com/team/web:1.27.3',
          imageID: `registry.example.com/team/web@sha256:${'0'.repeat(64)}`,
          containerID: `containerd://${uid}${uid}`,
        },
      ],
    },
  };
}
