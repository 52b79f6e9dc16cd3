import { describe, expect, it } from '@jest/globals';
import { NodePods } from '../../src/node/kubernetes/node-pods.ts';
import { codeOf, installFlows, messageOf, plugged, setup } from './attach-setup.ts';
import { podKey, podObject } from './kubernetes-objects.ts';
import { podBinding } from './southbound-rows.ts';

function kubernetes(times: { readonly unknownMs?: number; readonly bindingMs?: number } = {}) {
  const pods = new NodePods();
  pods.listed();
  return { pods, ...setup({ ...times, pods }) };
}

/** Resolves at the so manieth wait for the pods: the first is for the instance, the second for its port. */
function listening(pods: NodePods, count: number): Promise<void> {
  const onChange = pods.onChange.bind(pods);
  let listeners = 0;
  return new Promise(resolve => {
    pods.onChange = listener => {
      listeners += 1;
      if (listeners === count) setImmediate(resolve);
      return onChange(listener);
    };
  });
}

describe('ADD with Kubernetes', () => {
  it('waits for the instance that the runtime means', async () => {
    const { pods, ovs, southbound, add } = kubernetes({ unknownMs: 5_000, bindingMs: 5_000 });
    installFlows(ovs);
    pods.put(podObject('web', 'uid-0'));
    podBinding(southbound, { uid: 'uid-0' });
    const answer = add('one');
    await new Promise(resolve => setImmediate(resolve));
    expect(ovs.transactions).toEqual([]);
    pods.put(podObject('web', 'uid-1'));
    await new Promise(resolve => setImmediate(resolve));
    expect(ovs.transactions).toEqual([]);
    podBinding(southbound);
    expect(await answer).toHaveProperty('result');
  });

  it("knows a static pod by its mirror's annotation", async () => {
    const { pods, ovs, southbound, add, sandboxes } = kubernetes();
    installFlows(ovs);
    pods.put(podObject('web', 'uid-1', 'hash'));
    podBinding(southbound);
    expect(await add('one', 'hash')).toHaveProperty('result');
    expect(sandboxes()).toEqual(['one']);
  });

  it.each<[string, (pods: NodePods) => void, string]>([
    ['the API server does not have', () => {}, 'no such pod with the uid uid-1 on node worker-1'],
    ['was replaced before', pods => pods.put(podObject('web', 'uid-2')), 'no such pod with the uid uid-1'],
  ])('gives up on a pod that %s', async (_, act, reason) => {
    const { pods, southbound, kernel, add } = kubernetes();
    act(pods);
    podBinding(southbound);
    const answer = await add('one');
    expect([codeOf(answer), messageOf(answer)]).toEqual([11, expect.stringContaining(reason)]);
    expect(kernel.commands).toEqual([]);
  });

  it('says so where the pods are not listed yet', async () => {
    const { add } = setup({ pods: new NodePods() });
    expect(messageOf(await add('one'))).toContain('have not been listed yet');
  });

  it('gives a pod that Kubernetes knows more time for its port', async () => {
    const { pods, ovs, southbound, add } = kubernetes({ unknownMs: 10, bindingMs: 5_000 });
    installFlows(ovs);
    pods.put(podObject('web', 'uid-1'));
    const answer = add('one');
    await new Promise(resolve => setTimeout(resolve, 30));
    podBinding(southbound);
    expect(await answer).toHaveProperty('result');
  });

  it.each<[string, (pods: NodePods) => void]>([
    ['goes', pods => pods.deleted(podKey('web'))],
    ['is replaced', pods => pods.put(podObject('web', 'uid-2'))],
  ])('is cancelled where its pod %s, before it has a port', async (_, act) => {
    const { pods, kernel, add } = kubernetes({ bindingMs: 60_000 });
    pods.put(podObject('web', 'uid-1'));
    const waits = listening(pods, 2);
    const answer = add('one');
    await waits;
    act(pods);
    expect(messageOf(await answer)).toContain('deleted or replaced');
    expect(kernel.commands).toEqual([]);
  });

  it.each<[string, (pods: NodePods) => void]>([
    ['goes', pods => pods.deleted(podKey('web'))],
    ['is replaced', pods => pods.put(podObject('web', 'uid-2'))],
  ])('is cancelled where its pod %s while its flows are installed', async (_, act) => {
    const { pods, ovs, southbound, kernel, add } = kubernetes();
    pods.put(podObject('web', 'uid-1'));
    podBinding(southbound);
    const answer = add('one');
    await plugged(ovs, 1);
    await new Promise(resolve => setImmediate(resolve));
    act(pods);
    const result = await answer;
    expect([codeOf(result), messageOf(result)]).toEqual([11, expect.stringContaining('deleted or replaced')]);
    expect([[...ovs.rows('Interface')], [...kernel.links]]).toEqual([[], []]);
  });
});
