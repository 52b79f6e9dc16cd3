import { describe, expect, it } from '@jest/globals';
import { type CniAnswer, type CniCheckRequest, errorAnswer } from '../../src/contracts/cni.ts';
import { check } from '../../src/node/cni/check.ts';
import { expectedOf } from '../../src/node/cni/expected.ts';
import { NodePods, type PodInstances } from '../../src/node/kubernetes/node-pods.ts';
import { fixedNode } from '../../src/node/own-node.ts';
import { PortBindings } from '../../src/node/southbound.ts';
import { readLinks, readRoutes } from '../../src/node/system/links.ts';
import { hostInterfaceName } from '../../src/node/system/veth.ts';
import { FakeDatabase } from './fake-database.ts';
import { podObject } from './kubernetes-objects.ts';
import { bind } from './southbound-rows.ts';

const HOST = hostInterfaceName('one', 'eth0');
const MAC = '0a:58:0a:80:00:05';
const NEVER_GONE = new AbortController().signal;

const PREVIOUS = {
  cniVersion: '1.1.0',
  interfaces: [
    { name: HOST, mac: '5a:00:00:00:00:01', mtu: 1400 },
    { name: 'eth0', mac: MAC, mtu: 1400, sandbox: '/run/netns/one' },
  ],
  ips: [
    { address: '10.128.0.5/23', gateway: '10.128.0.1', interface: 1 },
    { address: 'fd01::5/64', gateway: 'fd01::1', interface: 1 },
  ],
  routes: [
    { dst: '0.0.0.0/0', gw: '10.128.0.1' },
    { dst: '::/0', gw: 'fd01::1' },
  ],
  dns: {},
};

const REQUEST: CniCheckRequest = {
  command: 'CHECK',
  cniVersion: '1.1.0',
  network: 'test',
  sandbox: 'one',
  interfaceName: 'eth0',
  netns: '/proc/self/ns/net',
  pod: { namespace: 'shop', name: 'web', uid: 'uid-1' },
  prevResult: PREVIOUS,
};

/** What ip(8) prints of an attached pod. */
function kernel() {
  const addresses = [
    { family: 'inet', local: '10.128.0.5', prefixlen: 23 },
    { family: 'inet6', local: 'fd01::5', prefixlen: 64 },
  ];
  return {
    eth0: { ifname: 'eth0', flags: ['UP'], address: MAC, mtu: 1400, addr_info: addresses },
    host: { ifname: HOST, flags: ['UP'], address: '5a:00:00:00:00:01', mtu: 1400 },
    routes4: [{ dst: 'default', gateway: '10.128.0.1' }, { dst: '10.128.0.0/23' }],
    routes6: [{ dst: 'default', gateway: 'fd01::1' }],
  };
}

const EXTERNAL_IDS = {
  attached_mac: MAC,
  'iface-id': 'shop_web',
  'iface-id-ver': 'uid-1',
  ip_addresses: '10.128.0.5/23,fd01::5/64',
  sandbox: 'one',
  'pod-if-name': 'eth0',
  'ovn-installed': 'true',
};

function setup() {
  const ovs = new FakeDatabase();
  const southbound = new FakeDatabase();
  const externalIds: Map<string, string> = new Map(Object.entries(EXTERNAL_IDS));
  const row = ovs.insert('Interface', { name: HOST, external_ids: externalIds });
  const port = ovs.insert('Port', { name: HOST, interfaces: new Set([row]) });
  const bridge = ovs.insert('Bridge', { name: 'br-int', ports: new Set([port]) });
  const chassis = southbound.insert('Chassis', { name: 'worker-1' });
  const other = southbound.insert('Chassis', { name: 'worker-2' });
  const binding = bind(
    southbound,
    'shop_web',
    `${MAC} 10.128.0.5 fd01::5`,
    { 'iface-id-ver': 'uid-1' },
    chassis,
  );
  const state = kernel();
  const context = {
    self: fixedNode('worker-1', 'worker-1', undefined),
    pods: undefined as PodInstances | undefined,
    ovs,
    bindings: new PortBindings(southbound),
    convergeMs: 30,
    run: async (command: readonly string[]) => {
      if (command[0] === 'ip') return JSON.stringify([state.host]);
      if (command.includes('-6')) return JSON.stringify(state.routes6);
      return JSON.stringify(command.includes('route') ? state.routes4 : [{ ifname: 'lo' }, state.eth0]);
    },
  };
  const run = async (request = REQUEST): Promise<CniAnswer> => {
    try {
      await check(context, request, NEVER_GONE);
      return { result: null };
    } catch (error) {
      return errorAnswer(error);
    }
  };
  return {
    ovs,
    southbound,
    state,
    context,
    run,
    rows: { row, bridge, binding, chassis, other },
    externalIds,
  };
}

type World = ReturnType<typeof setup>;

const failure = (answer: CniAnswer) => ('error' in answer ? answer.error : undefined);

describe('CHECK', () => {
  it('says nothing where all is as ADD left it', async () => {
    const { run } = setup();
    expect(await run()).toEqual({ result: null });
  });

  it('needs neither the pod nor the MTU, which older results do not have', async () => {
    const { run } = setup();
    const { pod: _, ...request } = REQUEST;
    const interfaces = PREVIOUS.interfaces.map(({ mtu: _mtu, ...entry }) => entry);
    const prevResult = { ...PREVIOUS, cniVersion: '0.4.0', interfaces };
    expect(await run({ ...request, cniVersion: '0.4.0', prevResult })).toEqual({ result: null });
  });

  it.each<[string, (world: World) => void, string]>([
    ['no interface', ({ state }) => Object.assign(state.eth0, { ifname: 'eth1' }), 'no interface eth0'],
    ['the link down', ({ state }) => state.eth0.flags.splice(0), 'eth0 is down'],
    ['another MAC', ({ state }) => Object.assign(state.eth0, { address: '02:00:00:00:00:09' }), `not ${MAC}`],
    ['another MTU', ({ state }) => Object.assign(state.eth0, { mtu: 1500 }), 'MTU 1500, not 1400'],
    ['no IPv4 address', ({ state }) => state.eth0.addr_info.splice(0, 1), 'lacks the address 10.128.0.5/23'],
    ['no IPv6 address', ({ state }) => state.eth0.addr_info.splice(1, 1), 'lacks the address fd01::5/64'],
    [
      'no IPv4 route',
      ({ state }) => state.routes4.splice(0, 1),
      'lacks the route to 0.0.0.0/0 via 10.128.0.1',
    ],
    ['no IPv6 route', ({ state }) => state.routes6.splice(0), 'lacks the route to ::/0 via fd01::1'],
    ['no host interface', ({ state }) => Object.assign(state.host, { ifname: 'x' }), `no interface ${HOST}`],
    ['the host interface down', ({ state }) => state.host.flags.splice(0), `${HOST} on the node is down`],
    [
      'no port',
      ({ ovs, rows }) => ovs.change('Bridge', rows.bridge, { ports: new Set() }),
      'br-int has no port',
    ],
    ['another iface-id', ({ externalIds }) => externalIds.set('iface-id', 'shop_db'), 'iface-id shop_db'],
    [
      'an error of ovs-vswitchd',
      ({ ovs, rows }) => ovs.change('Interface', rows.row, { error: 'no such device' }),
      'ovs-vswitchd: no such device',
    ],
    [
      'no port in OVN',
      ({ southbound, rows }) => southbound.delete('Port_Binding', rows.binding),
      'no port shop_web',
    ],
    [
      'another instance of the pod',
      ({ southbound, rows }) =>
        southbound.change('Port_Binding', rows.binding, { options: new Map([['iface-id-ver', 'uid-2']]) }),
      'uid uid-2, not uid-1',
    ],
    [
      'other addresses in OVN',
      ({ southbound, rows }) =>
        southbound.change('Port_Binding', rows.binding, { mac: new Set([`${MAC} 10.128.0.6`]) }),
      `the addresses ${MAC} 10.128.0.6, not ${MAC} 10.128.0.5 fd01::5`,
    ],
    [
      'another chassis',
      ({ southbound, rows }) =>
        southbound.change('Port_Binding', rows.binding, { chassis: new Set([rows.other]) }),
      'not bound to the chassis worker-1',
    ],
    ['no flows', ({ externalIds }) => externalIds.delete('ovn-installed'), 'not installed the flows'],
  ])('names %s', async (_, act, reason) => {
    const world = setup();
    act(world);
    const error = failure(await world.run());
    expect([error?.code, error?.msg]).toEqual([100, expect.stringContaining(reason)]);
  });

  it('names everything that differs', async () => {
    const world = setup();
    world.state.eth0.flags.splice(0);
    world.state.routes6.splice(0);
    world.externalIds.delete('ovn-installed');
    const error = failure(await world.run());
    expect(error?.msg).toContain('eth0 is down');
    expect(error?.details).toMatch(/route to ::\/0 via fd01::1; .*not installed the flows/);
  });

  it('waits for what OVN does in the background', async () => {
    const world = setup();
    world.context.convergeMs = 5_000;
    world.externalIds.delete('ovn-installed');
    const answer = world.run();
    setImmediate(() => {
      world.ovs.change('Interface', world.rows.row, { external_ids: new Map(Object.entries(EXTERNAL_IDS)) });
    });
    expect(await answer).toEqual({ result: null });
  });

  it.each(['ovs', 'southbound'] as const)('is to be tried again while %s is away', async name => {
    const world = setup();
    world[name].setConnected(false);
    expect(failure(await world.run())?.code).toBe(11);
  });

  it.each<[string, readonly [string, string?][], string | undefined]>([
    ['has the pod', [['uid-1']], undefined],
    ['has the pod, and its runtime knows it by another uid', [['uid-1', 'hash']], undefined],
    ['has a successor', [['uid-2']], 'uid uid-1, and the pod is uid-1, which the API server does not have'],
    ['has no such pod', [], 'which the API server does not have'],
  ])('compares the pod with that of Kubernetes, which %s', async (_, instances, reason) => {
    const world = setup();
    const pods = new NodePods();
    for (const [uid, runtimeUid] of instances) pods.put(podObject('web', uid, runtimeUid));
    world.context.pods = pods;
    const uid = instances[0]?.[1] ?? 'uid-1';
    const answer = await world.run({ ...REQUEST, pod: { namespace: 'shop', name: 'web', uid } });
    if (reason === undefined) expect(answer).toEqual({ result: null });
    else expect(failure(answer)).toMatchObject({ code: 100, msg: expect.stringContaining(reason) });
  });

  it('without Kubernetes compares the uid with that of the runtime', async () => {
    const error = failure(
      await setup().run({ ...REQUEST, pod: { namespace: 'shop', name: 'web', uid: 'u' } }),
    );
    expect(error?.msg).toContain('uid uid-1, and the pod is u');
  });

  it('refuses a namespace that does not exist', async () => {
    const error = failure(await setup().run({ ...REQUEST, netns: '/run/netns/no-such' }));
    expect([error?.code, error?.msg]).toEqual([4, expect.stringContaining('/run/netns/no-such')]);
  });
});

describe('the last result', () => {
  const expected = (prevResult: object) =>
    expectedOf({ ...REQUEST, prevResult: prevResult as CniCheckRequest['prevResult'] });

  it('counts as later plugins of the chain left it', () => {
    const tuned = { name: 'eth0', mac: '02:00:00:00:00:AA', mtu: 1300, sandbox: '/run/netns/one' };
    const routes = [
      { dst: 'FD02:0::/48' },
      { dst: '10.9.0.0/16', table: 100 },
      { dst: '10.8.0.0/16', table: 254 },
    ];
    expect(expected({ ...PREVIOUS, interfaces: [{ name: 'lo' }, tuned], routes })).toEqual({
      mac: '02:00:00:00:00:aa',
      mtu: 1300,
      addresses: ['10.128.0.5/23', 'fd01::5/64'],
      routes: [
        { to: 'fd02::/48', via: '' },
        { to: '10.8.0.0/16', via: '' },
      ],
    });
  });

  it('may have addresses of other interfaces', () => {
    const ips = [{ address: '192.0.2.1/24', interface: 0 }, ...PREVIOUS.ips];
    expect(expected({ ...PREVIOUS, ips }).addresses).toEqual(['10.128.0.5/23', 'fd01::5/64']);
  });

  it.each<[string, object, string]>([
    ['without interfaces', { ips: [] }, 'no interface eth0'],
    ['with the interface in no sandbox', { interfaces: [{ name: 'eth0' }] }, 'no interface eth0'],
    ['with another interface', { interfaces: [{ name: 'net1', sandbox: '/x' }] }, 'no interface eth0'],
    ['with a list that is none', { interfaces: 'eth0' }, '"interfaces" must be a list'],
    ['with a broken address', { ...PREVIOUS, ips: [{ address: '10.1', interface: 1 }] }, '10.1'],
    ['with a broken gateway', { ...PREVIOUS, routes: [{ dst: '::/0', gw: 'x' }] }, '"x"'],
  ])('%s is a wrong configuration', (_, prevResult, reason) => {
    let error: unknown;
    try {
      expected(prevResult);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 7, message: expect.stringContaining(reason) });
  });
});

describe('what ip prints', () => {
  it('has links and routes', () => {
    expect(readLinks('')).toEqual([]);
    expect(readLinks('[{},{"ifname":"lo","mtu":65536,"flags":["UP"]}]')).toEqual([
      { name: 'lo', up: true, mac: '', mtu: 65536, addresses: [] },
    ]);
    const routes = [{ dst: 'default', gateway: 'fd01::1' }, { dst: 'fd01::7' }];
    expect(readRoutes(JSON.stringify(routes), 6)).toEqual([
      { to: '::/0', via: 'fd01::1' },
      { to: 'fd01::7/128', via: '' },
    ]);
    expect(readRoutes('[{"dst":"10.0.0.1"}]', 4)).toEqual([{ to: '10.0.0.1/32', via: '' }]);
  });
});
