import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeFact, podFact } from '../../src/cluster/facts/index.ts';
import type { KubeObject } from '../../src/cluster/manifest-object.ts';
import { Trimmer } from '../../src/cluster/trim.ts';

const object = (kind: string, raw: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: 'v1',
  kind,
  namespace: 'shop',
  name: 'web-0',
  raw,
});

const trim = (kind: string, raw: Readonly<Record<string, unknown>>) =>
  new Trimmer().trim(object(kind, raw)).raw;

describe('a trimmed object', () => {
  it('has no record of who made it and who wrote what', () => {
    const metadata = {
      name: 'web-0',
      labels: { app: 'web' },
      annotations: {
        'k8s.ovn.org/pod-networks': '{}',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
      managedFields: [{ manager: 'kubectl' }],
      ownerReferences: [{ kind: 'ReplicaSet' }],
      generateName: 'web-',
    };
    expect(trim('ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } })).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'web-0',
        labels: { app: 'web' },
        annotations: { 'k8s.ovn.org/pod-networks': '{}' },
      },
      data: { a: 'b' },
    });
  });

  it('of a Pod has of its containers the names and ports, and nothing of how they run', () => {
    const ports = [{ name: 'http', containerPort: 80 }];
    const raw = {
      spec: {
        nodeName: 'a',
        hostNetwork: true,
        volumes: [{}],
        tolerations: [{}],
        containers: [{ name: 'web', image: 'web:1', ports, env: [{}] }],
        initContainers: [{ name: 'init', image: 'init:1' }],
      },
      status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], conditions: [{}], containerStatuses: [{}] },
    };
    expect(trim('Pod', raw)).toEqual({
      spec: {
        nodeName: 'a',
        hostNetwork: true,
        containers: [{ name: 'web', ports }],
        initContainers: [{ name: 'init' }],
      },
      status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }] },
    });
  });

  it('of a Node keeps addresses and podCIDRs', () => {
    const status = { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }], images: [{}] };
    expect(trim('Node', { spec: { podCIDRs: ['10.0.0.0/24'] }, status })).toEqual({
      spec: { podCIDRs: ['10.0.0.0/24'] },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
    });
  });

  it('gives the same facts, whatever is in it', () => {
    const value = fc.jsonValue({ maxDepth: 2 });
    const part = (...fields: readonly string[]) =>
      fc.oneof(
        value,
        fc.record(Object.fromEntries(fields.map(field => [field, value])), { requiredKeys: [] }),
      );
    const raw = fc.record(
      {
        metadata: part('uid', 'creationTimestamp', 'annotations', 'labels'),
        spec: part('nodeName', 'hostNetwork', 'podCIDRs', 'containers'),
        status: part('phase', 'podIPs', 'podIP', 'addresses'),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(raw, raw => {
        expect(podFact('shop', 'web-0', trim('Pod', raw))).toEqual(podFact('shop', 'web-0', raw));
        expect(nodeFact('a', trim('Node', raw))).toEqual(nodeFact('a', raw));
      }),
      { numRuns: 60 },
    );
  });
});
