import { describe, expect, it } from '@jest/globals';
import { settle, textOf } from '../../src/node/database.ts';
import { ChassisError, chassisOperations } from '../../src/node/ovs/chassis.ts';
import { hasManagementInterface, managementPortOperations } from '../../src/node/ovs/management-port.ts';
import { FakeDatabase } from './fake-database.ts';

const WISH = {
  node: 'worker-1',
  chassisId: 'worker-1',
  remote: 'tcp:192.0.2.10:6642',
  encapIp: '192.0.2.21',
  nodeIp: undefined,
};

function openVswitch(externalIds: Readonly<Record<string, string>>) {
  const ovs = new FakeDatabase();
  ovs.insert('Open_vSwitch', { external_ids: new Map(Object.entries(externalIds)), bridges: new Set() });
  const row = () => {
    const [first] = ovs.rows('Open_vSwitch');
    if (!first) throw new Error('no row');
    return first;
  };
  const apply = (wish = WISH) => settle(ovs, () => chassisOperations(wish, row(), ovs.rows('Bridge')));
  const ids = () => Object.fromEntries(row().columns.external_ids as Map<string, string>);
  return { ovs, apply, ids };
}

describe('the chassis', () => {
  it('is made from an empty Open vSwitch, once', async () => {
    const { ovs, apply, ids } = openVswitch({});
    expect(await apply()).toBe(true);
    expect(ids()).toEqual({
      'system-id': 'worker-1',
      hostname: 'worker-1',
      'ovn-remote': 'tcp:192.0.2.10:6642',
      'ovn-encap-type': 'geneve',
      'ovn-encap-ip': '192.0.2.21',
    });
    const [bridge] = ovs.rows('Bridge');
    expect(bridge?.columns).toMatchObject({ name: 'br-int', fail_mode: 'secure' });
    expect(bridge?.columns.datapath_type).toBeUndefined();
    expect([...ovs.rows('Interface')].map(row => row.columns.type)).toEqual(['internal']);
    expect(await apply()).toBe(false);
  });

  it('takes the datapath that the operator chose', async () => {
    const { ovs, apply } = openVswitch({ 'ovn-bridge-datapath-type': 'netdev' });
    await apply();
    expect([...ovs.rows('Bridge')][0]?.columns.datapath_type).toBe('netdev');
  });

  it("keeps the operator's keys, and lets the command line win over two of them", async () => {
    const { apply, ids } = openVswitch({
      'ovn-remote': 'tcp:198.51.100.1:6642',
      'ovn-encap-ip': '198.51.100.2',
      'ovn-encap-type': 'vxlan',
      hostname: 'other',
      'ovn-bridge-mappings': 'physnet:br-ex',
    });
    await apply();
    expect(ids()).toEqual({
      'system-id': 'worker-1',
      'ovn-remote': WISH.remote,
      'ovn-encap-ip': '192.0.2.21',
      'ovn-encap-type': 'vxlan',
      hostname: 'other',
      'ovn-bridge-mappings': 'physnet:br-ex',
    });
  });

  it.each([
    ['what Open vSwitch says', { 'ovn-encap-ip': '198.51.100.2' }, '198.51.100.2'],
    ["the Node's own address", {}, '192.0.2.99'],
  ] as const)('without --encap-ip has %s', async (_, before, expected) => {
    const { apply, ids } = openVswitch(before);
    await apply({ ...WISH, encapIp: undefined, nodeIp: '192.0.2.99' } as never);
    expect(ids()['ovn-encap-ip']).toBe(expected);
  });

  it("follows the Node's own address, but never in the place of an operator's", async () => {
    const { ovs, apply, ids } = openVswitch({});
    const wish = (nodeIp: string | undefined) => ({ ...WISH, encapIp: undefined, nodeIp }) as never;
    await apply(wish('192.0.2.99'));
    await apply(wish('192.0.2.100'));
    expect(ids()).toMatchObject({ 'ovn-encap-ip': '192.0.2.100', 'kube-northbound/node-ip': '192.0.2.100' });
    expect(await apply(wish(undefined))).toBe(false);
    const [row] = ovs.rows('Open_vSwitch');
    const edited = new Map([...Object.entries(ids()), ['ovn-encap-ip', '198.51.100.2']] as [
      string,
      string,
    ][]);
    ovs.change('Open_vSwitch', row?.uuid ?? '', { external_ids: edited });
    expect(await apply(wish('192.0.2.101'))).toBe(false);
    expect(ids()['ovn-encap-ip']).toBe('198.51.100.2');
  });

  it('is refused without a tunnel address', async () => {
    const { apply } = openVswitch({});
    await expect(apply({ ...WISH, encapIp: undefined } as never)).rejects.toThrow(/--encap-ip/);
  });

  it('is refused where system-id is unlike the Node, unless the Node says so', async () => {
    const { apply, ovs } = openVswitch({ 'system-id': 'f00' });
    await expect(apply()).rejects.toThrow(ChassisError);
    await expect(apply()).rejects.toThrow(/"f00".*"worker-1"/);
    expect(ovs.transactions).toEqual([]);
    expect(await apply({ ...WISH, chassisId: 'f00' })).toBe(true);
  });
});

describe('the management port', () => {
  const wish = { node: 'worker-1', mac: '0a:58:0a:80:00:02', mtu: 1400 };

  async function withBridge() {
    const { ovs, apply } = openVswitch({});
    await apply();
    const [bridge] = ovs.rows('Bridge');
    if (!bridge) throw new Error('no bridge');
    const settled = (wanted: typeof wish | undefined) =>
      settle(ovs, () => managementPortOperations(ovs, bridge, wanted));
    const port = () => [...ovs.rows('Interface')].find(row => textOf(row, 'name') === 'ovn-k8s-mp0');
    return { ovs, settled, port };
  }

  it('is made, once', async () => {
    const { settled, port } = await withBridge();
    expect(await settled(wish)).toBe(true);
    expect(port()?.columns).toEqual({
      name: 'ovn-k8s-mp0',
      type: 'internal',
      mac: wish.mac,
      mtu_request: 1400,
      external_ids: new Map([['iface-id', 'k8s-worker-1']]),
    });
    expect(await settled(wish)).toBe(false);
  });

  it('is mended in place, with keys of others left alone', async () => {
    const { ovs, settled, port } = await withBridge();
    await settled(wish);
    const before = port();
    if (!before) throw new Error('no port');
    ovs.change('Interface', before.uuid, {
      mac: '00:00:00:00:00:01',
      external_ids: new Map([
        ['iface-id', 'wrong'],
        ['ovn-installed', 'true'],
      ]),
    });
    expect(await settled(wish)).toBe(true);
    expect(port()?.uuid).toBe(before.uuid);
    expect(port()?.columns).toMatchObject({
      mac: wish.mac,
      external_ids: new Map([
        ['ovn-installed', 'true'],
        ['iface-id', 'k8s-worker-1'],
      ]),
    });
  });

  it('goes with its bindings', async () => {
    const { settled, port } = await withBridge();
    await settled(wish);
    expect(await settled(undefined)).toBe(true);
    expect(port()).toBeUndefined();
    expect(await settled(undefined)).toBe(false);
  });

  it('has an interface once Open vSwitch has given it a port number', async () => {
    const { ovs, settled, port } = await withBridge();
    await settled(wish);
    const uuid = port()?.uuid ?? '';
    expect(hasManagementInterface(ovs)).toBe(false);
    ovs.change('Interface', uuid, { ofport: -1 });
    expect(hasManagementInterface(ovs)).toBe(false);
    ovs.change('Interface', uuid, { ofport: 3 });
    expect(hasManagementInterface(ovs)).toBe(true);
  });
});
