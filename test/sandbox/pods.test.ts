import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../src/cluster/manifest-source.ts';
import { chooseNodes, NodeCountError, nodeManifests } from '../../src/sandbox/hosts/nodes.ts';
import { generatedNodes, planTopology } from '../../src/sandbox/hosts/topology.ts';
import { cniEnvironment, networkConfiguration, readResult } from '../../src/sandbox/pods/cni-runtime.ts';
import { type PodRecord, PodRecords } from '../../src/sandbox/pods/pod-record.ts';
import { boundPodWish, declaredPorts, podWish } from '../../src/sandbox/pods/pod-wish.ts';

function object(kind: string, name: string, rest: Record<string, unknown> = {}, uid?: string): KubeObject {
  const namespace = kind === 'Node' ? undefined : 'shop';
  const metadata = { name, namespace, ...(uid === undefined ? {} : { uid }) };
  return { apiVersion: 'v1', kind, namespace, name, raw: { metadata, ...rest } };
}

const pod = (spec: Record<string, unknown>, status: Record<string, unknown> = {}, uid?: string) =>
  object('Pod', 'web', { spec, status }, uid);

const NODES = new Set(['n-a', 'n-b']);

describe('the pods that a sandbox runs', () => {
  it('are those on its nodes that have a network of their own and have not finished', () => {
    expect(podWish(pod({ nodeName: 'n-a' }), NODES)).toMatchObject({
      namespace: 'shop',
      name: 'web',
      node: 'n-a',
    });
    expect(podWish(pod({ nodeName: 'n-z' }), NODES)).toBeUndefined();
    expect(podWish(pod({}), NODES)).toBeUndefined();
    expect(podWish(pod({ nodeName: 'n-a', hostNetwork: true }), NODES)).toBeUndefined();
    expect(podWish(pod({ nodeName: 'n-a' }, { phase: 'Succeeded' }), NODES)).toBeUndefined();
    expect(podWish(pod({ nodeName: 'n-a' }, { phase: 'Failed' }), NODES)).toBeUndefined();
    expect(podWish(pod({ nodeName: 'n-a' }, { phase: 'Running' }), NODES)).toBeDefined();
    expect(podWish(object('Node', 'n-a'), NODES)).toBeUndefined();
  });

  it('may be in the network of their node', () => {
    const onHost = pod({ nodeName: 'n-a', hostNetwork: true });
    expect(boundPodWish(onHost, NODES)).toMatchObject({ name: 'web', node: 'n-a', hostNetwork: true });
    expect(boundPodWish(pod({ nodeName: 'n-a' }), NODES)).not.toHaveProperty('hostNetwork');
    expect(
      boundPodWish(pod({ nodeName: 'n-a', hostNetwork: true }, { phase: 'Failed' }), NODES),
    ).toBeUndefined();
  });

  it('are others when uid or node change, and the same when only a label does', () => {
    const id = (spec: Record<string, unknown>, uid?: string) => podWish(pod(spec, {}, uid), NODES)?.id;
    expect(id({ nodeName: 'n-a' }, 'u1')).not.toBe(id({ nodeName: 'n-a' }, 'u2'));
    expect(id({ nodeName: 'n-a' }, 'u1')).not.toBe(id({ nodeName: 'n-b' }, 'u1'));
    expect(id({ nodeName: 'n-a' }, 'u1')).toBe(id({ nodeName: 'n-a', priority: 1 }, 'u1'));
  });

  it('answer on every declared port once', () => {
    const containers = [
      { ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }] },
      {
        ports: [
          { containerPort: 80, protocol: 'TCP', name: 'again' },
          { containerPort: 9, protocol: 'SCTP' },
        ],
      },
      {},
    ];
    const initContainers = [
      { ports: [{ containerPort: 1 }] },
      { restartPolicy: 'Always', ports: [{ containerPort: 7000 }] },
    ];
    expect(declaredPorts({ spec: { containers, initContainers } })).toEqual([
      'sctp:9',
      'tcp:7000',
      'tcp:80',
      'udp:53',
    ]);
  });

  it('leave out ports that make no sense', () => {
    const ports = [
      { containerPort: 0 },
      { containerPort: 65536 },
      { containerPort: 5, protocol: 'IPIP' },
      'x',
      {},
    ];
    expect(declaredPorts({ spec: { containers: [{ ports }] } })).toEqual([]);
  });
});

describe('the nodes of a sandbox', () => {
  const address = (ip: string) => ({ status: { addresses: [{ type: 'InternalIP', address: ip }] } });
  const manifests = [
    object('Node', 'n-a', address('10.0.0.1')),
    object('Node', 'n-b'),
    pod({ nodeName: 'n-a' }),
  ];

  it('are the Node objects', () => {
    expect(chooseNodes(manifests, undefined)).toEqual({
      nodes: [
        { name: 'n-a', chassis: 'n-a', ips: ['10.0.0.1'] },
        { name: 'n-b', chassis: 'n-b', ips: [] },
      ],
      generated: false,
    });
    expect(chooseNodes(manifests, 2).generated).toBe(false);
  });

  it('are as many as asked for only where there is no Node object', () => {
    expect(chooseNodes([], 2)).toEqual({ nodes: generatedNodes(2), generated: true });
    expect(() => chooseNodes(manifests, 3)).toThrow(NodeCountError);
    expect(() => chooseNodes([], undefined)).toThrow(NodeCountError);
  });

  it('become Node objects with their addresses where they were asked for', () => {
    expect(nodeManifests(planTopology('s', generatedNodes(1)))).toMatchObject({
      kind: 'List',
      items: [
        {
          kind: 'Node',
          metadata: { name: 'ovn-chassis-1' },
          status: {
            addresses: [
              { type: 'InternalIP', address: '172.31.0.11' },
              { type: 'InternalIP', address: 'fd31::11' },
              { type: 'Hostname', address: 'ovn-chassis-1' },
            ],
          },
        },
      ],
    });
  });
});

describe('calls of the CNI plugin', () => {
  const record: PodRecord = {
    id: 'p1',
    namespace: 'shop',
    name: 'web',
    uid: 'u1',
    node: 'n-a',
    netns: 'knb-s-p1',
    sandboxId: 'c0ffee',
    ports: [],
  };

  it('have the environment that a container runtime gives', () => {
    expect(cniEnvironment('ADD', record)).toMatchObject({
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c0ffee',
      CNI_NETNS: '/var/run/netns/knb-s-p1',
      CNI_IFNAME: 'eth0',
      CNI_ARGS:
        'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=c0ffee;K8S_POD_UID=u1',
    });
    expect(JSON.parse(networkConfiguration('/r/cni.sock'))).toEqual({
      cniVersion: '1.1.0',
      name: 'kube-northbound',
      type: 'kube-northbound-cni',
      agentSocket: '/r/cni.sock',
    });
  });

  it('tell the interface inside the pod, not the one on the host', () => {
    const result = {
      cniVersion: '1.1.0',
      interfaces: [
        { name: 'eth0', mac: '02:00:00:00:00:01' },
        { name: 'eth0', mac: '0a:58:0a:80:00:05', sandbox: '/var/run/netns/knb-s-p1' },
      ],
      ips: [{ address: '10.128.0.5/23' }, { address: 'fd01::5/64' }],
    };
    expect(readResult(JSON.stringify(result), record)).toEqual({
      interface: 'eth0',
      mac: '0a:58:0a:80:00:05',
      ips: ['10.128.0.5', 'fd01::5'],
    });
    expect(() => readResult('{}', record)).toThrow(/shop\/web: no eth0/);
    expect(() => readResult('oops', record)).toThrow(/not JSON: oops/);
  });
});

describe('the records of pods', () => {
  it('may lose one while they are listed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'knb-records-'));
    const [id, uid, netns, sandboxId] = ['p1', 'u1', 'knb-x-p1', 'abc'];
    const record: PodRecord = {
      id,
      namespace: 'shop',
      name: 'web',
      uid,
      node: 'n-a',
      netns,
      sandboxId,
      ports: [],
    };
    const records = new PodRecords(folder);
    records.write(record);
    // A name without its file, as in a listing that is a moment old.
    symlinkSync(join(folder, 'gone'), records.file('p2', 'json'));
    expect(records.list()).toEqual([record]);
    rmSync(folder, { recursive: true });
  });
});
