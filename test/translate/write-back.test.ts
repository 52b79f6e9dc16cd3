import { describe, expect, it } from '@jest/globals';
import { parseCidr, parseIp } from '../../src/addresses/index.ts';
import type { PodResult } from '../../src/allocate/index.ts';
import { nodeFact, podFact } from '../../src/cluster/facts/index.ts';
import { nodeAnnotations, podAnnotations } from '../../src/translate/index.ts';

const cidrs = (...texts: readonly string[]) => texts.flatMap(text => parseCidr(text) ?? []);
const ips = (...texts: readonly string[]) => texts.flatMap(text => parseIp(text) ?? []);
const CLUSTER = cidrs('10.128.0.0/14', 'fd01::/48');
const SUBNETS = cidrs('10.128.2.0/23', 'fd01:0:0:1::/64');

const annotated = (annotations: Readonly<Record<string, string>>) => ({
  uid: 'u',
  resourceVersion: '7',
  annotations,
});

describe("a Node's record", () => {
  const subnets = { subnets: SUBNETS };
  const id = { id: 2, joinIps: [] };
  const wish = (annotations: Readonly<Record<string, string>>) =>
    nodeAnnotations(nodeFact('a', { metadata: annotated(annotations) }), subnets, id);
  const record = {
    'k8s.ovn.org/node-subnets': '{"default":["10.128.2.0/23","fd01:0:0:1::/64"]}',
    'k8s.ovn.org/node-id': '2',
  };

  it('is written where the Node does not show it', () => {
    expect(wish({})).toEqual({ uid: 'u', annotations: record });
    const { 'k8s.ovn.org/node-id': text, ...shown } = record;
    expect(wish(shown)?.annotations).toEqual({ 'k8s.ovn.org/node-id': text });
    expect(wish({ ...record, 'k8s.ovn.org/node-id': '02' })?.annotations).toEqual({
      'k8s.ovn.org/node-id': '2',
    });
    expect(wish({ ...record, 'k8s.ovn.org/node-subnets': 'nonsense' })?.annotations).toEqual(shown);
    expect(wish(record)).toBeUndefined();
  });

  it('keeps the subnets of other networks', () => {
    const value = '{"blue":["10.9.0.0/24"],"default":["10.1.0.0/24"]}';
    expect(wish({ ...record, 'k8s.ovn.org/node-subnets': value })).toEqual({
      uid: 'u',
      annotations: {
        'k8s.ovn.org/node-subnets': '{"default":["10.128.2.0/23","fd01:0:0:1::/64"],"blue":["10.9.0.0/24"]}',
      },
    });
    const right = '{"blue":["10.9.0.0/24"],"default":["10.128.2.0/23","fd01:0:0:1::/64"]}';
    expect(wish({ ...record, 'k8s.ovn.org/node-subnets': right })).toBeUndefined();
  });

  it('is nothing as long as nothing was given, and for a manifest', () => {
    const node = nodeFact('a', { metadata: annotated({}) });
    expect(nodeAnnotations(node, undefined, undefined)).toBeUndefined();
    expect(nodeAnnotations(node, { subnets: [] }, { id: undefined, joinIps: [] })).toBeUndefined();
    expect(nodeAnnotations(nodeFact('a', {}), subnets, id)).toBeUndefined();
  });
});

describe("a Pod's record", () => {
  const fact = (
    annotations: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ) => podFact('ns', 'p', { metadata: annotated(annotations), spec: { nodeName: 'a' }, ...more });
  const both: PodResult = { ips: ips('10.128.2.3', 'fd01:0:0:1::3'), mac: undefined };
  const written = (result: PodResult, subnets = SUBNETS) =>
    podAnnotations(fact(), result, subnets, CLUSTER)?.annotations['k8s.ovn.org/pod-networks'] ?? '';

  it('is what OVN-Kubernetes writes, in both families', () => {
    expect(JSON.parse(written(both))).toEqual({
      default: {
        ip_addresses: ['10.128.2.3/23', 'fd01:0:0:1::3/64'],
        mac_address: '0a:58:0a:80:02:03',
        gateway_ips: ['10.128.2.1', 'fd01:0:0:1::1'],
        routes: [
          { dest: '10.128.0.0/14', nextHop: '10.128.2.1' },
          { dest: 'fd01::/48', nextHop: 'fd01:0:0:1::1' },
        ],
        role: 'primary',
      },
    });
  });

  it('has the older fields, too, in one family', () => {
    const mac = '02:00:00:00:00:01';
    expect(JSON.parse(written({ ips: ips('10.128.2.3'), mac }))).toEqual({
      default: {
        ip_addresses: ['10.128.2.3/23'],
        mac_address: mac,
        gateway_ips: ['10.128.2.1'],
        routes: [{ dest: '10.128.0.0/14', nextHop: '10.128.2.1' }],
        ip_address: '10.128.2.3/23',
        gateway_ip: '10.128.2.1',
        role: 'primary',
      },
    });
  });

  it('is not written where the Pod shows it, however the text is spaced; and repaired where it is broken', () => {
    const value = written(both);
    const spaced = JSON.stringify(JSON.parse(value), undefined, 2);
    const wish = (text: string) =>
      podAnnotations(fact({ 'k8s.ovn.org/pod-networks': text }), both, SUBNETS, CLUSTER);
    expect(wish(value)).toBeUndefined();
    expect(wish(spaced)).toBeUndefined();
    expect(wish('{')?.annotations).toEqual({ 'k8s.ovn.org/pod-networks': value });
    const other = value.replace('10.128.2.3/23', '10.128.2.4/23');
    expect(wish(other)?.annotations).toEqual({ 'k8s.ovn.org/pod-networks': value });
  });

  it('keeps what other networks have there', () => {
    const shown = { 'k8s.ovn.org/pod-networks': '{"ns/blue":{"ip_addresses":["10.9.0.3/24"]}}' };
    const wish = podAnnotations(fact(shown), both, SUBNETS, CLUSTER);
    expect(JSON.parse(wish?.annotations['k8s.ovn.org/pod-networks'] ?? '')).toEqual({
      ...JSON.parse(written(both)),
      'ns/blue': { ip_addresses: ['10.9.0.3/24'] },
    });
  });

  it.each([
    ['on no node', fact({}, { spec: {} })],
    ['on the host network', fact({}, { spec: { nodeName: 'a', hostNetwork: true } })],
    ['finished', fact({}, { status: { phase: 'Failed' } })],
  ])('is nothing for one that is %s', (_, pod) => {
    expect(podAnnotations(pod, both, SUBNETS, CLUSTER)).toBeUndefined();
  });

  it('is nothing without addresses, or where an address is in no subnet of the node', () => {
    expect(podAnnotations(fact(), undefined, SUBNETS, CLUSTER)).toBeUndefined();
    expect(podAnnotations(fact(), { ips: [], mac: undefined }, SUBNETS, CLUSTER)).toBeUndefined();
    expect(podAnnotations(fact(), both, SUBNETS.slice(1), CLUSTER)).toBeUndefined();
  });
});
