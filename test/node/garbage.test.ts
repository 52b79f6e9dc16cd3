import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { CniAttachment, CniGcRequest } from '../../src/contracts/cni.ts';
import { collectGarbage } from '../../src/node/cni/garbage.ts';
import { Lanes } from '../../src/node/cni/lanes.ts';
import { membersOf, textOf } from '../../src/node/database.ts';
import { CommandError } from '../../src/node/system/run.ts';
import { hostInterfaceName } from '../../src/node/system/veth.ts';
import { FakeDatabase } from './fake-database.ts';
import { FakeKernel } from './fake-kernel.ts';

const CONFIGURATION = join(__dirname, '../../deploy/cni/10-kube-northbound.conflist');
const nameOf = (sandbox: string, interfaceName = 'eth0') => hostInterfaceName(sandbox, interfaceName);

function setup() {
  const ovs = new FakeDatabase();
  const kernel = new FakeKernel();
  const lanes = new Lanes();
  const bridge = ovs.insert('Bridge', { name: 'br-int', ports: new Set() });
  const port = (name: string, ids: Readonly<Record<string, string>>) => {
    const row = ovs.insert('Interface', { name, external_ids: new Map(Object.entries(ids)) });
    const uuid = ovs.insert('Port', { name, interfaces: new Set([row]) });
    const [before] = ovs.rows('Bridge');
    ovs.change('Bridge', bridge, { ports: new Set([...(before ? membersOf(before, 'ports') : []), uuid]) });
    kernel.links.add(name);
  };
  const pod = (sandbox: string, ids: Readonly<Record<string, string>> = {}, interfaceName = 'eth0') =>
    port(nameOf(sandbox, interfaceName), { sandbox, 'pod-if-name': interfaceName, ...ids });
  const gc = (attachments: readonly CniAttachment[], network?: string) => {
    const request: CniGcRequest = { command: 'GC', cniVersion: '1.1.0', attachments };
    return collectGarbage({ ovs, run: kernel.run }, lanes, network ? { ...request, network } : request);
  };
  const ports = () => [...ovs.rows('Port')].map(row => textOf(row, 'name'));
  return { ovs, kernel, lanes, port, pod, gc, ports };
}

const valid = (sandbox: string, interfaceName = 'eth0') => ({ sandbox, interfaceName });

describe('GC', () => {
  it('removes ports and interfaces whose attachment is not in the list, and no other', async () => {
    const { kernel, pod, gc, ports } = setup();
    for (const sandbox of ['one', 'two', 'three']) pod(sandbox);
    pod('one', {}, 'net1');
    expect(await gc([valid('one'), valid('three'), valid('gone')])).toBe(2);
    expect(ports()).toEqual([nameOf('one'), nameOf('three')]);
    expect([...kernel.links]).toEqual([nameOf('one'), nameOf('three')]);
  });

  it('removes all of ours where nothing is valid', async () => {
    const { pod, gc, ports } = setup();
    pod('one');
    expect(await gc([])).toBe(1);
    expect(ports()).toEqual([]);
  });

  it('never removes a port of somebody else', async () => {
    const { kernel, port, gc, ports } = setup();
    const others = ['patch-br-ex', 'veth0', nameOf('named-like-ours'), 'ovn-k8s-mp0'];
    port('patch-br-ex', {});
    port('veth0', { sandbox: 'one', 'pod-if-name': 'eth0', 'iface-id': 'shop_web' });
    port(nameOf('named-like-ours'), { sandbox: 'another', 'pod-if-name': 'eth0' });
    port('ovn-k8s-mp0', { 'iface-id': 'k8s-worker-1' });
    kernel.links.add('veth1');
    expect(await gc([])).toBe(0);
    expect([ports(), [...kernel.links]]).toEqual([others, [...others, 'veth1']]);
  });

  it('removes interfaces that never got their port', async () => {
    const { kernel, pod, gc } = setup();
    pod('one');
    kernel.links.add(nameOf('half-made'));
    expect(await gc([valid('one')])).toBe(1);
    expect([...kernel.links]).toEqual([nameOf('one')]);
  });

  it('leaves what another network has attached', async () => {
    const { pod, gc, ports } = setup();
    pod('one', { 'kube-northbound/network': 'blue' });
    pod('two', { 'kube-northbound/network': 'green' });
    pod('three');
    await gc([], 'blue');
    expect(ports()).toEqual([nameOf('two'), nameOf('three')]);
  });

  it('counts what an earlier release attached as of the network that we install', async () => {
    const { name } = JSON.parse(readFileSync(CONFIGURATION, 'utf8'));
    const { pod, gc, ports } = setup();
    pod('one');
    pod('two', { 'kube-northbound/network': 'green' });
    await gc([], name);
    expect(ports()).toEqual([nameOf('two')]);
  });

  it('leaves what a request is at work on', async () => {
    const { kernel, lanes, pod, gc, ports } = setup();
    pod('one');
    kernel.links.add(nameOf('two'));
    let finish = () => {};
    const working = () =>
      new Promise<void>(resolve => {
        finish = resolve;
      });
    const first = lanes.run(nameOf('one'), working);
    const finishFirst = await Promise.resolve().then(() => finish);
    const second = lanes.run(nameOf('two'), working);
    expect(await gc([])).toBe(0);
    expect([ports(), [...kernel.links]]).toEqual([[nameOf('one')], [nameOf('one'), nameOf('two')]]);
    finishFirst();
    finish();
    await Promise.all([first, second]);
    expect(await gc([])).toBe(2);
  });

  it('removes as much as it can, and tells what is left', async () => {
    const { kernel, pod, gc, ports } = setup();
    for (const sandbox of ['one', 'two', 'three']) pod(sandbox);
    kernel.onRun = async text => {
      if (text.includes(`delete dev ${nameOf('two')}`)) throw new CommandError('busy');
    };
    await expect(gc([])).rejects.toMatchObject({ code: 5, details: expect.stringContaining(nameOf('two')) });
    expect([ports(), [...kernel.links]]).toEqual([[], [nameOf('two')]]);
  });

  it('is to be tried again while Open vSwitch is away', async () => {
    const { ovs, kernel, pod, gc } = setup();
    pod('one');
    ovs.setConnected(false);
    await expect(gc([])).rejects.toMatchObject({ code: 11 });
    expect([...kernel.links]).toEqual([nameOf('one')]);
  });
});
