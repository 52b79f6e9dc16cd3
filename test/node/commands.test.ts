import { describe, expect, it } from '@jest/globals';
import { parseCidr } from '../../src/addresses/index.ts';
import { addResult } from '../../src/node/cni/result.ts';
import { managementState } from '../../src/node/management.ts';
import { interfaceChanges, readInterfaceState } from '../../src/node/system/interface.ts';
import { CommandError, run, runWithin } from '../../src/node/system/run.ts';
import {
  configurePodInterface,
  createVeth,
  hostInterfaceName,
  inNamespace,
  podIpv6Settings,
  setIpv6,
} from '../../src/node/system/veth.ts';
import { mentions } from '../../src/node/system/watch-interface.ts';

const POD = {
  hostName: 'knb0123456789ab',
  podName: 'eth0',
  netns: '/run/netns/pod',
  mac: '0a:58:0a:80:00:05',
  mtu: 1400,
  ips: [
    { address: '10.128.0.5/23', gateway: '10.128.0.1' },
    { address: 'fd01::5/64', gateway: 'fd01::1' },
  ],
};

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(text);
  return parsed;
};

describe("a pod's interface", () => {
  it('is made with its MAC and in its namespace at once', () => {
    expect(createVeth(POD)).toBe(
      'link add name knb0123456789ab mtu 1400 type veth ' +
        'peer name eth0 address 0a:58:0a:80:00:05 mtu 1400 netns /run/netns/pod\n' +
        'link set dev knb0123456789ab addrgenmode none\n' +
        'link set dev knb0123456789ab up\n',
    );
  });

  it('is configured in an order that the kernel accepts', () => {
    expect(configurePodInterface(POD)).toBe(
      'link set dev lo up\n' +
        'link set dev eth0 addrgenmode eui64\n' +
        'addr add 10.128.0.5/23 dev eth0\n' +
        'addr add fd01::5/64 dev eth0 nodad\n' +
        'link set dev eth0 up\n' +
        'route add 0.0.0.0/0 via 10.128.0.1 dev eth0\n' +
        'route add ::/0 via fd01::1 dev eth0\n',
    );
  });

  it('turns IPv6 on only where the pod has it', () => {
    expect(podIpv6Settings(POD)).toEqual({ accept_ra: 0, disable_ipv6: 0 });
    expect(podIpv6Settings({ ...POD, ips: POD.ips.slice(0, 1) })).toEqual({ accept_ra: 0 });
  });

  it('has a host side whose name fits the kernel and tells sandboxes apart', () => {
    const name = hostInterfaceName('kube-northbound-sandbox-a', 'eth0');
    expect(name).toMatch(/^knb[0-9a-f]{12}$/);
    expect(hostInterfaceName('kube-northbound-sandbox-a', 'eth0')).toBe(name);
    expect(hostInterfaceName('kube-northbound-sandbox-b', 'eth0')).not.toBe(name);
    expect(hostInterfaceName('kube-northbound-sandbox-a', 'net1')).not.toBe(name);
  });

  it('is reached by the path of its namespace', () => {
    expect(inNamespace('/proc/7/ns/net', 'ip', 'link')).toEqual([
      'nsenter',
      '--net=/proc/7/ns/net',
      '--',
      'ip',
      'link',
    ]);
  });

  it('has settings that a kernel without IPv6 does not trip over', async () => {
    await run(setIpv6('no-such-if', { accept_ra: 0, disable_ipv6: 0 }));
    expect(setIpv6('eth0', { accept_ra: 0 }).slice(-3)).toEqual([
      '[ ! -d "$1" ] || { echo 0 > "$1/accept_ra"; }',
      'sh',
      '/proc/sys/net/ipv6/conf/eth0',
    ]);
  });
});

describe('the management interface', () => {
  const addressing = {
    mac: '0a:58:0a:80:00:02',
    ips: [
      { address: '10.128.0.2/23', gateway: '10.128.0.1' },
      { address: 'fd01::2/64', gateway: 'fd01::1' },
    ],
  };
  const cluster = [cidr('10.128.0.0/14'), cidr('fd01::/48')];

  it('has routes to the cluster subnets, and to nodes outside them', () => {
    const nodes = ['10.128.0.1/23', 'fd01::1/64', '10.128.2.1/23', '10.244.1.1/24', '10.244.1.1/24'];
    expect(managementState(addressing, cluster, nodes)).toEqual({
      up: true,
      addresses: ['10.128.0.2/23', 'fd01::2/64'],
      routes: [
        { to: '10.128.0.0/14', via: '10.128.0.1' },
        { to: 'fd01::/48', via: 'fd01::1' },
        { to: '10.244.1.0/24', via: '10.128.0.1' },
      ],
    });
  });

  it('has no route of a family that the node lacks, and none to its own subnet', () => {
    const v4 = { mac: addressing.mac, ips: [{ address: '10.244.1.2/24', gateway: '10.244.1.1' }] };
    const state = managementState(v4, cluster, ['10.244.1.1/24', 'fd02::1/64']);
    expect(state.routes).toEqual([{ to: '10.128.0.0/14', via: '10.244.1.1' }]);
  });

  const wanted = managementState(addressing, cluster, []);

  it('is left alone where it is right', () => {
    expect(interfaceChanges('mp0', wanted, wanted)).toBe('');
  });

  it('is built from nothing', () => {
    expect(interfaceChanges('mp0', wanted, { up: false, addresses: [], routes: [] })).toBe(
      'addr add 10.128.0.2/23 dev mp0\n' +
        'addr add fd01::2/64 dev mp0 nodad\n' +
        'link set dev mp0 up\n' +
        'route replace 10.128.0.0/14 via 10.128.0.1 dev mp0 proto 107\n' +
        'route replace fd01::/48 via fd01::1 dev mp0 proto 107\n',
    );
  });

  it('loses what nobody wants before it gets what is new', () => {
    const actual = {
      up: true,
      addresses: ['10.9.0.2/24', 'fd01::2/64'],
      routes: [{ to: '10.9.9.0/24', via: '10.9.0.1' }],
    };
    expect(interfaceChanges('mp0', wanted, actual).split('\n').slice(0, 3)).toEqual([
      'route del 10.9.9.0/24 via 10.9.0.1 dev mp0 proto 107',
      'addr del 10.9.0.2/24 dev mp0',
      'addr add 10.128.0.2/23 dev mp0',
    ]);
  });

  it('gets one lost route back', () => {
    const actual = { ...wanted, routes: wanted.routes.slice(1) };
    const line = 'route replace 10.128.0.0/14 via 10.128.0.1 dev mp0 proto 107\n';
    expect(interfaceChanges('mp0', wanted, actual)).toBe(line);
  });

  it('is read from what ip prints', () => {
    const address = JSON.stringify([
      {
        ifname: 'ovn-k8s-mp0',
        flags: ['BROADCAST', 'UP'],
        addr_info: [
          { family: 'inet', local: '10.128.0.2', prefixlen: 23, scope: 'global' },
          { family: 'inet6', local: 'fd01::2', prefixlen: 64, scope: 'global' },
          { family: 'inet6', local: 'fe80::858:aff:fe80:2', prefixlen: 64, scope: 'link' },
        ],
      },
    ]);
    const v4 = JSON.stringify([{ dst: '10.128.0.0/14', gateway: '10.128.0.1', protocol: '107', flags: [] }]);
    const v6 = JSON.stringify([{ dst: 'fd01::/48', gateway: 'fd01::1', metric: 1024, flags: [] }]);
    expect(readInterfaceState(address, [v4, v6])).toEqual(wanted);
    expect(readInterfaceState(address, ['', '[]']).routes).toEqual([]);
    expect(() => readInterfaceState('[{}]', [])).toThrow('no interface');
  });

  it.each([
    ['5: mp0    inet 10.128.0.2/23 scope global mp0', true],
    ['Deleted 10.128.0.0/14 via 10.128.0.1 dev mp0 proto 107', true],
    ['5: mp0: <BROADCAST,UP> mtu 1400', true],
    ['6: mp01: <BROADCAST,UP> mtu 1400', false],
    ['10.0.0.0/8 via 10.1.1.1 dev eth0', false],
  ])('is watched: %s', (line, expected) => {
    expect(mentions(line, 'mp0')).toBe(expected);
  });
});

describe('the result of ADD', () => {
  const attachment = {
    hostInterface: { name: POD.hostName, mac: '5a:00:00:00:00:01' },
    podInterface: { name: 'eth0', mac: POD.mac, netns: POD.netns },
    mtu: 1400,
    ips: POD.ips,
  };
  const host = { name: POD.hostName, mac: '5a:00:00:00:00:01' };
  const eth0 = { name: 'eth0', mac: POD.mac, sandbox: POD.netns };
  const routes = [
    { dst: '0.0.0.0/0', gw: '10.128.0.1' },
    { dst: '::/0', gw: 'fd01::1' },
  ];

  it('1.1.0 tells the MTU', () => {
    expect(addResult(attachment, '1.1.0')).toEqual({
      cniVersion: '1.1.0',
      interfaces: [
        { ...host, mtu: 1400 },
        { ...eth0, mtu: 1400 },
      ],
      ips: [
        { address: '10.128.0.5/23', gateway: '10.128.0.1', interface: 1 },
        { address: 'fd01::5/64', gateway: 'fd01::1', interface: 1 },
      ],
      routes,
      dns: {},
    });
  });

  it('1.0.0 does not', () => {
    expect(addResult(attachment, '1.0.0').interfaces).toEqual([host, eth0]);
  });

  it('0.4.0 tells the family of each address', () => {
    expect(addResult(attachment, '0.4.0')).toMatchObject({
      cniVersion: '0.4.0',
      ips: [
        { version: '4', address: '10.128.0.5/23' },
        { version: '6', address: 'fd01::5/64' },
      ],
    });
  });
});

describe('the result of ADD in a chain', () => {
  it('has what the plugins before have made, first', () => {
    const attachment = {
      hostInterface: { name: POD.hostName, mac: '5a:00:00:00:00:01' },
      podInterface: { name: 'eth0', mac: POD.mac, netns: POD.netns },
      mtu: 1400,
      ips: POD.ips.slice(0, 1),
    };
    const before = {
      cniVersion: '1.0.0',
      interfaces: [{ name: 'dummy0' }],
      ips: [{ address: '192.0.2.1/24', interface: 0 }],
      routes: [{ dst: '192.0.2.0/24' }],
      dns: { nameservers: ['192.0.2.53'] },
    };
    expect(addResult(attachment, '1.0.0', before)).toEqual({
      cniVersion: '1.0.0',
      interfaces: [
        { name: 'dummy0' },
        { name: POD.hostName, mac: '5a:00:00:00:00:01' },
        { name: 'eth0', mac: POD.mac, sandbox: POD.netns },
      ],
      ips: [
        { address: '192.0.2.1/24', interface: 0 },
        { address: '10.128.0.5/23', gateway: '10.128.0.1', interface: 2 },
      ],
      routes: [{ dst: '192.0.2.0/24' }, { dst: '0.0.0.0/0', gw: '10.128.0.1' }],
      dns: { nameservers: ['192.0.2.53'] },
    });
  });
});

describe('running a program', () => {
  it('gives what it printed', async () => {
    expect(await run(['cat'], 'hello')).toBe('hello');
  });

  it.each([
    [['sh', '-c', 'echo why >&2; exit 3'], 'why (status 3)'],
    [['sh', '-c', 'exit 1'], 'no message (status 1)'],
    [['no-such-program'], 'ENOENT'],
    [['sh', '-c', 'kill -9 $$'], 'SIGKILL'],
  ] as const)('%j fails with its reason', async (command, reason) => {
    const running = run([...command], 'input that nobody reads');
    await expect(running).rejects.toThrow(CommandError);
    await expect(running).rejects.toThrow(reason);
  });

  it('ends one that hangs', async () => {
    await expect(runWithin(50, ['sleep', '30'], '')).rejects.toThrow('allowed time: 50 ms');
  });
});
