import { describe, expect, it } from '@jest/globals';
import { textOf } from '../../src/node/database.ts';
import { CommandError } from '../../src/node/system/run.ts';
import { hostInterfaceName } from '../../src/node/system/veth.ts';
import { poll } from '../support/poll.ts';
import { codeOf, installFlows, messageOf, NEVER_GONE, plugged, request, setup } from './attach-setup.ts';
import type { FakeDatabase } from './fake-database.ts';
import { podBinding } from './southbound-rows.ts';

/** What an ADD that waits for its flows depends on. */
interface World {
  readonly ovs: FakeDatabase;
  readonly southbound: FakeDatabase;
  readonly binding: string;
  readonly bridge: string;
  readonly gone: AbortController;
}

describe('ADD', () => {
  it("makes the interface, puts it on br-int with OVN-Kubernetes' keys, and answers", async () => {
    const { ovs, southbound, kernel, add } = setup();
    podBinding(southbound);
    installFlows(ovs);
    const hostName = hostInterfaceName('one', 'eth0');
    expect(await add('one')).toMatchObject({
      result: {
        interfaces: [
          { name: hostName, mac: '5a:00:00:00:00:01' },
          { name: 'eth0', mac: '0a:58:0a:80:00:05' },
        ],
        ips: [{ address: '10.128.0.5/23', gateway: '10.128.0.1', interface: 1 }],
      },
    });
    const [row] = ovs.rows('Interface');
    expect(row?.columns.name).toBe(hostName);
    expect(Object.fromEntries(row?.columns.external_ids as Map<string, string>)).toEqual({
      attached_mac: '0a:58:0a:80:00:05',
      'iface-id': 'shop_web',
      'iface-id-ver': 'uid-1',
      ip_addresses: '10.128.0.5/23',
      sandbox: 'one',
      'pod-if-name': 'eth0',
      'kube-northbound/network': 'test',
      'ovn-installed': 'true',
    });
    expect(kernel.commands.some(text => text.includes('ethtool -K eth0 tx off'))).toBe(true);
  });

  it('leaves checksum offload alone where the datapath is the kernel', async () => {
    const { ovs, southbound, kernel, add } = setup({ datapath: 'system' });
    podBinding(southbound);
    installFlows(ovs);
    expect(await add('one')).toHaveProperty('result');
    expect(kernel.commands.some(text => text.includes('ethtool'))).toBe(false);
  });

  it('waits for a pod that the southbound does not know yet', async () => {
    const { ovs, southbound, add } = setup({ unknownMs: 5_000 });
    installFlows(ovs);
    const answer = add('one');
    podBinding(southbound, { uid: 'uid-0' });
    podBinding(southbound);
    expect(await answer).toHaveProperty('result');
  });

  it.each([
    ['an unknown pod', undefined, 'no port shop_web'],
    ['another instance', { uid: 'uid-0' }, 'uid-0'],
    ['a pod of another node', { chassis: 'worker-2' }, 'worker-2'],
  ])('gives up on %s', async (_, binding, reason) => {
    const { southbound, kernel, add } = setup();
    if (binding) podBinding(southbound, binding);
    const answer = await add('one');
    expect(codeOf(answer)).toBe(11);
    expect(messageOf(answer)).toContain(reason);
    expect(kernel.commands).toEqual([]);
  });

  it('says so where the southbound is away', async () => {
    const { southbound, add } = setup();
    southbound.setConnected(false);
    expect(messageOf(await add('one'))).toContain('southbound database is not reachable');
  });

  it('takes the place of the port that an earlier instance left, in one transaction', async () => {
    const { ovs, southbound, kernel, add, sandboxes } = setup();
    installFlows(ovs);
    const first = podBinding(southbound);
    await add('one');
    southbound.delete('Port_Binding', first);
    podBinding(southbound, { uid: 'uid-2' });
    const before = ovs.transactions.length;
    expect(await add('two', 'uid-2')).toHaveProperty('result');
    expect(sandboxes()).toEqual(['two']);
    expect(ovs.transactions.slice(before)).toHaveLength(1);
    expect([...kernel.links]).toEqual([hostInterfaceName('two', 'eth0')]);
  });

  it('does not take the port from another interface of the same sandbox', async () => {
    const { ovs, southbound, kernel, requests, add, sandboxes } = setup();
    installFlows(ovs);
    podBinding(southbound);
    await add('one');
    const second = await requests.handle({ ...request('one'), interfaceName: 'net1' }, NEVER_GONE);
    expect([codeOf(second), messageOf(second)]).toEqual([4, expect.stringContaining('eth0')]);
    expect(sandboxes()).toEqual(['one']);
    expect([...kernel.links]).toEqual([hostInterfaceName('one', 'eth0')]);
  });

  it.each<[string, (world: World) => void, number, string]>([
    ['its flows are never installed', () => {}, 11, 'did not install'],
    [
      'its pod goes',
      world => world.southbound.delete('Port_Binding', world.binding),
      11,
      'deleted or replaced',
    ],
    [
      'its pod is replaced',
      ({ southbound, binding }) =>
        southbound.change('Port_Binding', binding, { options: new Map([['iface-id-ver', 'uid-2']]) }),
      11,
      'deleted or replaced',
    ],
    ['the plugin is gone', world => world.gone.abort(new Error('nobody waits')), 5, 'nobody waits'],
    [
      'its port is taken away',
      world => world.ovs.change('Bridge', world.bridge, { ports: new Set() }),
      11,
      'removed from br-int',
    ],
  ])('leaves nothing behind where %s', async (_, act, code, reason) => {
    const { ovs, southbound, kernel, add } = setup({ installMs: 500 });
    const binding = podBinding(southbound);
    const gone = new AbortController();
    const answer = add('one', 'uid-1', gone.signal);
    await plugged(ovs, 1);
    // Lets the ADD see its own port first.
    await new Promise(resolve => setImmediate(resolve));
    const [bridge] = ovs.rows('Bridge');
    act({ ovs, southbound, binding, gone, bridge: bridge?.uuid ?? '' });
    const result = await answer;
    expect(messageOf(result)).toContain(reason);
    expect(codeOf(result)).toBe(code);
    expect(kernel.links).toEqual(new Set());
    expect([...((bridge?.columns.ports as Set<string> | undefined) ?? ['no bridge'])]).toEqual([]);
  });

  it('tells what ovs-vswitchd says where flows are not installed', async () => {
    const { ovs, southbound, add } = setup({ installMs: 100 });
    podBinding(southbound);
    const answer = add('one');
    await plugged(ovs, 1);
    const [row] = ovs.rows('Interface');
    ovs.change('Interface', row?.uuid ?? '', { error: 'could not open network device' });
    expect(messageOf(await answer)).toContain('could not open network device');
  });

  it('does not take flows of another instance for its own', async () => {
    const { ovs, southbound, add } = setup({ installMs: 100 });
    podBinding(southbound);
    const answer = add('one');
    await plugged(ovs, 1);
    const [row] = ovs.rows('Interface');
    const ids = new Map(row?.columns.external_ids as Map<string, string>);
    ids.set('ovn-installed', 'true').set('iface-id-ver', 'uid-0');
    ovs.change('Interface', row?.uuid ?? '', { external_ids: ids });
    expect(codeOf(await answer)).toBe(11);
  });

  it('does not touch an interface that the pod has already', async () => {
    const { ovs, southbound, kernel, add, sandboxes } = setup();
    podBinding(southbound);
    installFlows(ovs);
    await add('one');
    kernel.podLinks.push('lo', 'eth0');
    for (const sandbox of ['one', 'two']) {
      const answer = await add(sandbox);
      expect([codeOf(answer), messageOf(answer)]).toEqual([
        4,
        expect.stringContaining('interface eth0 already'),
      ]);
    }
    expect([sandboxes(), [...kernel.links]]).toEqual([['one'], [hostInterfaceName('one', 'eth0')]]);
  });

  it('leaves nothing behind where the kernel refuses', async () => {
    const { ovs, southbound, kernel, add } = setup();
    podBinding(southbound);
    kernel.onRun = async text => {
      if (text.includes('addr add')) throw new CommandError('ip: no');
    };
    const answer = await add('one');
    expect([codeOf(answer), messageOf(answer)]).toEqual([5, 'ip: no ']);
    expect(kernel.links).toEqual(new Set());
    expect([...ovs.rows('Interface')]).toEqual([]);
  });

  it('refuses a namespace that does not exist', async () => {
    const { requests } = setup();
    const answer = await requests.handle({ ...request('one'), netns: '/run/netns/no-such' }, NEVER_GONE);
    expect(codeOf(answer)).toBe(4);
    expect(messageOf(answer)).toContain('/run/netns/no-such');
  });

  it('fails where Open vSwitch goes away, and is undone when that is back', async () => {
    const { ovs, southbound, kernel, requests, add } = setup();
    podBinding(southbound);
    const answer = add('one');
    await plugged(ovs, 1);
    ovs.setConnected(false);
    expect(codeOf(await answer)).toBe(11);
    expect(kernel.links).toEqual(new Set());
    expect([...ovs.rows('Interface')]).toHaveLength(1);
    ovs.setConnected(true);
    await requests.retryAbandoned();
    expect([...ovs.rows('Interface')]).toEqual([]);
  });

  it('is undone by and by where the kernel does not let go of the interface', async () => {
    const { ovs, southbound, kernel, clock, requests, add } = setup({ installMs: 50 });
    podBinding(southbound);
    let refusals = 3;
    kernel.onRun = async text => {
      if (text.includes('link delete') && refusals-- > 0) throw new CommandError('busy');
    };
    expect(codeOf(await add('one'))).toBe(11);
    const pauses: number[] = [];
    while (clock.next() !== undefined) {
      pauses.push((clock.next() ?? 0) - clock.now());
      clock.advance(pauses.at(-1) ?? 0);
      // Waits for the attempt that the clock has just begun, and makes none of its own.
      await poll(
        () => kernel.links.size === 0 || clock.next() !== undefined,
        () => 'the end of the attempt',
      );
    }
    expect(pauses).toEqual([250, 500, 1000]);
    expect([[...ovs.rows('Interface')], kernel.links]).toEqual([[], new Set()]);
    await requests.stop();
  });

  it('is not tried to be undone after the end, nor while Open vSwitch is away', async () => {
    const { ovs, southbound, kernel, clock, requests, add } = setup({ installMs: 50 });
    podBinding(southbound);
    kernel.onRun = async text => {
      if (text.includes('link delete')) throw new CommandError('busy');
    };
    await add('one');
    expect(clock.next()).toBe(250);
    ovs.setConnected(false);
    clock.advance(250);
    await requests.retryAbandoned();
    expect(clock.next()).toBeUndefined();
    ovs.setConnected(true);
    await requests.retryAbandoned();
    expect(clock.next()).toBeDefined();
    await requests.stop();
    expect(clock.next()).toBeUndefined();
  });

  it('is not undone for the sake of an earlier one that failed', async () => {
    const { ovs, southbound, requests, add, sandboxes } = setup();
    podBinding(southbound);
    const failing = add('one');
    await plugged(ovs, 1);
    ovs.setConnected(false);
    expect(codeOf(await failing)).toBe(11);
    ovs.setConnected(true);
    installFlows(ovs);
    const [answer] = await Promise.all([add('one'), requests.retryAbandoned()]);
    expect(answer).toHaveProperty('result');
    await requests.retryAbandoned();
    expect(sandboxes()).toEqual(['one']);
  });
});

describe('DEL', () => {
  it('removes port and interface, and is content where there is nothing', async () => {
    const { ovs, southbound, kernel, add, del } = setup();
    podBinding(southbound);
    installFlows(ovs);
    await add('one');
    expect(await del('one')).toEqual({ result: null });
    expect([...ovs.rows('Interface')]).toEqual([]);
    expect(kernel.links).toEqual(new Set());
    expect(await del('one')).toEqual({ result: null });
  });

  it('does not cut the successor', async () => {
    const { ovs, southbound, kernel, add, del, sandboxes } = setup();
    installFlows(ovs);
    const first = podBinding(southbound);
    await add('one');
    southbound.delete('Port_Binding', first);
    podBinding(southbound, { uid: 'uid-2' });
    await add('two', 'uid-2');
    expect(await del('one')).toEqual({ result: null });
    expect(sandboxes()).toEqual(['two']);
    expect([...kernel.links]).toEqual([hostInterfaceName('two', 'eth0')]);
  });

  it('leaves ports of others and of other interfaces alone', async () => {
    const { ovs, del } = setup();
    const [bridge] = ovs.rows('Bridge');
    const make = (name: string, ids: [string, string][]) => {
      const row = ovs.insert('Interface', { name, external_ids: new Map(ids) });
      return ovs.insert('Port', { name, interfaces: new Set([row]) });
    };
    const ports = [
      make('foreign', []),
      make('net1', [
        ['sandbox', 'one'],
        ['pod-if-name', 'net1'],
      ]),
      make('old', [['sandbox', 'one']]),
    ];
    ovs.change('Bridge', bridge?.uuid ?? '', { ports: new Set(ports) });
    expect(await del('one')).toEqual({ result: null });
    expect([...ovs.rows('Port')].map(row => textOf(row, 'name'))).toEqual(['foreign', 'net1']);
  });

  it('is to be tried again while Open vSwitch is away; the pod is cut off at once', async () => {
    const { ovs, southbound, kernel, add, del } = setup();
    podBinding(southbound);
    installFlows(ovs);
    await add('one');
    ovs.setConnected(false);
    expect(codeOf(await del('one'))).toBe(11);
    expect(kernel.links).toEqual(new Set());
  });

  it('is content where the kernel removed the interface first', async () => {
    const { kernel, del } = setup();
    kernel.links.add(hostInterfaceName('one', 'eth0'));
    kernel.onRun = async text => {
      if (!text.includes('delete')) return;
      kernel.links.clear();
      throw new CommandError('Cannot find device');
    };
    expect(await del('one')).toEqual({ result: null });
  });

  it('cancels the ADD of its interface that still runs', async () => {
    const { ovs, southbound, kernel, add, del } = setup({ installMs: 60_000 });
    podBinding(southbound);
    const adding = add('one');
    await plugged(ovs, 1);
    expect(await del('one')).toEqual({ result: null });
    expect(messageOf(await adding)).toContain('DEL');
    expect([...ovs.rows('Interface')]).toEqual([]);
    expect(kernel.links).toEqual(new Set());
  });
});

describe('several requests', () => {
  it('of different sandboxes run at the same time, those of one after the other', async () => {
    const { southbound, kernel, del } = setup();
    podBinding(southbound);
    const release: (() => void)[] = [];
    kernel.onRun = () => new Promise(resolve => release.push(resolve));
    const answers = [del('one'), del('one'), del('two')];
    await new Promise(resolve => setImmediate(resolve));
    expect(release).toHaveLength(2);
    for (const go of release.splice(0)) go();
    await answers[0];
    await new Promise(resolve => setImmediate(resolve));
    expect(release).toHaveLength(1);
    for (const go of release.splice(0)) go();
    expect(await Promise.all(answers)).toEqual([{ result: null }, { result: null }, { result: null }]);
  });

  it('are ended by a stop, with everything undone', async () => {
    const { ovs, southbound, kernel, requests, add } = setup({ installMs: 60_000 });
    podBinding(southbound);
    const adding = add('one');
    await plugged(ovs, 1);
    const waiting = add('one');
    await requests.stop();
    expect(messageOf(await adding)).toContain('stopping');
    expect(messageOf(await waiting)).toContain('stopping');
    expect(kernel.links).toEqual(new Set());
    expect([...ovs.rows('Interface')]).toEqual([]);
  });
});
