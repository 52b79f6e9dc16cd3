import { describe, expect, it } from '@jest/globals';
import { Lanes } from '../../src/node/cni/lanes.ts';
import { sweep } from '../../src/node/cni/sweep.ts';
import { NodePods } from '../../src/node/kubernetes/node-pods.ts';
import type { Run } from '../../src/node/system/run.ts';
import { hostInterfaceName } from '../../src/node/system/veth.ts';
import { installFlows, plugged, setup } from './attach-setup.ts';
import { podKey, podObject } from './kubernetes-objects.ts';
import { silentLog } from './silent-log.ts';
import { podBinding } from './southbound-rows.ts';

const nameOf = (sandbox: string) => hostInterfaceName(sandbox, 'eth0');

/** A node with pod shop/web attached as sandbox `one`. */
async function attached(pods?: NodePods) {
  const world = setup(pods ? { pods } : {});
  podBinding(world.southbound);
  installFlows(world.ovs);
  pods?.put(podObject('web', 'uid-1'));
  expect(await world.add('one')).toHaveProperty('result');
  return world;
}

describe('what is swept at the start', () => {
  it('is never the port of a living pod', async () => {
    const { ovs, kernel, requests, sandboxes } = await attached();
    const before = ovs.transactions.length;
    await requests.sweep();
    expect([sandboxes(), [...kernel.links], ovs.transactions.length]).toEqual([
      ['one'],
      [nameOf('one')],
      before,
    ]);
  });

  it('is a port whose interface is gone', async () => {
    const { kernel, requests, sandboxes } = await attached();
    kernel.links.clear();
    await requests.sweep();
    expect(sandboxes()).toEqual([]);
  });

  it('is an interface that never got its port', async () => {
    const { kernel, requests, sandboxes } = await attached();
    kernel.links.add(nameOf('half-made')).add('veth0');
    await requests.sweep();
    expect([sandboxes(), [...kernel.links]]).toEqual([['one'], [nameOf('one'), 'veth0']]);
  });

  it('is a port of a pod that Kubernetes has no more, once it has told all that it has', async () => {
    const pods = new NodePods();
    const { kernel, requests, sandboxes } = await attached(pods);
    pods.listed();
    await requests.sweep();
    expect(sandboxes()).toEqual(['one']);
    pods.put(podObject('web', 'uid-2'));
    await requests.sweep();
    expect([sandboxes(), [...kernel.links]]).toEqual([[], []]);
  });

  it('is no port of a pod that Kubernetes has not told yet', async () => {
    const pods = new NodePods();
    const { requests, sandboxes } = await attached(pods);
    pods.deleted(podKey('web'));
    await requests.sweep();
    expect(sandboxes()).toEqual(['one']);
    pods.listed();
    await requests.sweep();
    expect(sandboxes()).toEqual([]);
  });

  it('is no port that was made while the interfaces were looked at', async () => {
    const { ovs, southbound, kernel, add, sandboxes } = setup();
    podBinding(southbound);
    installFlows(ovs);
    let shown = false;
    const run: Run = async (command, input) => {
      const list = await kernel.run(command, input);
      if (!shown) await add('one');
      shown = true;
      return list;
    };
    await sweep({ ovs, run, pods: undefined }, new Lanes(), silentLog);
    expect(sandboxes()).toEqual(['one']);
  });

  it('is not what a request is at work on', async () => {
    const { ovs, southbound, kernel, requests, add, sandboxes } = setup();
    podBinding(southbound);
    const adding = add('one');
    await plugged(ovs, 1);
    kernel.links.clear();
    await requests.sweep();
    expect(sandboxes()).toEqual(['one']);
    await requests.stop();
    await adding;
  });

  it('does not keep the agent from serving where the kernel does not answer', async () => {
    const { kernel, requests } = await attached();
    kernel.onRun = () => Promise.reject(new Error('ip: no'));
    await expect(requests.sweep()).resolves.toBeUndefined();
  });
});
