import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../src/config/index.ts';
import { Translation } from '../../src/master/translation.ts';

const object = (apiVersion: string, kind: string, name: string) => ({
  ...{ apiVersion, kind, namespace: 'ns', name },
  raw: { apiVersion, kind, metadata: { name, namespace: 'ns' } },
});

describe('kinds that are not translated', () => {
  it('are counted as they come and go, whatever their names', () => {
    const translation = new Translation(parseConfig('', 'test'));
    const kinds = ['Deployment', '__proto__', 'constructor'];
    const put = kinds.flatMap(kind => [object('v1', kind, 'a'), object('v1', kind, 'b')]);
    translation.apply({ put: [...put, ...put], deleted: [] });
    expect(JSON.stringify(translation.ignored())).toBe('{"Deployment":2,"__proto__":2,"constructor":2}');
    translation.apply({ put: [], deleted: put.slice(1) });
    expect(translation.ignored()).toEqual({ Deployment: 1 });
  });

  it('are named where somebody counts on their effect', () => {
    const translation = new Translation(parseConfig('', 'test'));
    const policy = object('networking.k8s.io/v1', 'NetworkPolicy', 'deny');
    translation.apply({ put: [policy], deleted: [] });
    expect(translation.unenforced()).toEqual(['NetworkPolicy ns/deny']);
    expect(translation.refused()).toEqual([]);
    translation.apply({ put: [], deleted: [policy] });
    expect(translation.unenforced()).toEqual([]);
  });

  it('are refused in that case by a strict translation', () => {
    const translation = new Translation(parseConfig('', 'test'), { strict: true });
    translation.apply({ put: [object('networking.k8s.io/v1', 'NetworkPolicy', 'deny')], deleted: [] });
    expect(translation.unenforced()).toEqual([]);
    expect(translation.refused()).toEqual([
      { object: 'NetworkPolicy ns/deny', reason: 'policies are not enforced yet' },
    ]);
  });
});

describe('what is wrong with objects that remember', () => {
  it('is told by a master that leads, and not what was over before', () => {
    const translation = new Translation(parseConfig('', 'test'), { objectsRemember: true });
    const pod = (name: string, address: string) => {
      const networks = JSON.stringify({ default: { ip_addresses: [address] } });
      const metadata = {
        name,
        namespace: 'ns',
        uid: name,
        annotations: { 'k8s.ovn.org/pod-networks': networks },
      };
      const raw = { metadata, spec: { nodeName: 'a' } };
      return { apiVersion: 'v1', kind: 'Pod', namespace: 'ns', name, raw };
    };
    const raw = { metadata: { name: 'a', uid: 'a' }, spec: { podCIDR: '10.128.0.0/23' } };
    const node = { apiVersion: 'v1', kind: 'Node', namespace: undefined, name: 'a', raw };
    translation.apply({ put: [node, pod('p', '10.128.0.5/23'), pod('q', '10.128.0.5/23')], deleted: [] });
    expect(translation.problems().map(({ object }) => object)).toEqual(['Pod ns/q']);
    translation.apply({ put: [pod('q', '10.128.0.6/23')], deleted: [] });
    translation.startAllocating();
    translation.run();
    expect(translation.takeProblems()).toEqual([]);
  });
});
