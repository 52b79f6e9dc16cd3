import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.ts';
import { Translation } from '../../src/master/translation.ts';

const pod = (uid: string, spec: object, status: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'shop',
  name: 'web-1',
  raw: { metadata: { uid }, spec, status },
});

describe('pods that are to have a port', () => {
  it('are told when they come and when they go, whatever else changes of them', () => {
    const told: string[] = [];
    const pods = {
      came: ({ instance }: { instance: string }) => told.push(`came ${instance}`),
      went: ({ instance }: { instance: string }) => told.push(`went ${instance}`),
    };
    const translation = new Translation(loadConfig(undefined), { pods });
    const put = (...objects: ReturnType<typeof pod>[]) => translation.take({ put: objects, deleted: [] });
    put(pod('1', {}));
    expect(told.splice(0)).toEqual([]);
    put(pod('1', { nodeName: 'n1' }));
    put(pod('1', { nodeName: 'n1' }, { phase: 'Running' }));
    expect(told.splice(0)).toEqual(['came 1']);
    put(pod('2', { nodeName: 'n1' }));
    expect(told.splice(0)).toEqual(['went 1', 'came 2']);
    put(pod('2', { nodeName: 'n1' }, { phase: 'Succeeded' }));
    translation.take({ put: [], deleted: [pod('2', {})] });
    expect(told.splice(0)).toEqual(['went 2']);
    put(pod('3', { nodeName: 'n1', hostNetwork: true }));
    expect(told.splice(0)).toEqual([]);
    put(pod('4', { nodeName: 'n1' }));
    translation.take({ put: [], deleted: [pod('4', {})] });
    expect(told.splice(0)).toEqual(['came 4', 'went 4']);
  });
});
