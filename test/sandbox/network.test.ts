import { describe, expect, it } from '@jest/globals';
import { chassisProcesses, chassisSettings } from '../../src/sandbox/hosts/chassis.ts';
import { bridgeLines, fabricLines, hostLines, namespaceLines } from '../../src/sandbox/hosts/network.ts';
import { generatedNodes, planTopology, type SandboxNode } from '../../src/sandbox/hosts/topology.ts';
import { RunPaths, socketProblem } from '../../src/sandbox/paths.ts';
import { noPrograms } from '../../src/sandbox/processes/process-list.ts';

const topology = planTopology('shop', generatedNodes(2));
const first = topology.nodes[0] as SandboxNode;

describe('the network of a sandbox', () => {
  it('has a namespace for every host', () => {
    expect(namespaceLines(topology)).toEqual([
      'netns add knb-shop-fabric',
      'netns add knb-shop-central',
      'netns add knb-shop-outside',
      'netns add knb-shop-n1',
      'netns add knb-shop-n2',
    ]);
  });

  it('joins every host by a cable to the bridges it belongs to', () => {
    const lines = fabricLines(topology);
    expect(lines.filter(line => line.includes(' type veth '))).toEqual([
      'link add u0 type veth peer name eth0 netns knb-shop-central',
      'link add x0 type veth peer name eth0 netns knb-shop-outside',
      'link add u1 type veth peer name ul0 netns knb-shop-n1',
      'link add x1 type veth peer name ex0 netns knb-shop-n1',
      'link add u2 type veth peer name ul0 netns knb-shop-n2',
      'link add x2 type veth peer name ex0 netns knb-shop-n2',
    ]);
    expect(lines).toContain('link set u2 master underlay up');
    expect(lines).toContain('link set x2 master external up');
  });

  it('gives IPv6 addresses that can be used at once', () => {
    expect(hostLines(['10.0.0.1/24', 'fd20::1/64'])).toContain('addr replace fd20::1/64 dev eth0 nodad');
    expect(bridgeLines(first, 16)).toEqual([
      'addr replace 170.168.0.3/16 dev br-phy',
      'link set br-phy up',
      'addr replace 172.31.0.11/24 dev br-ex',
      'addr replace fd31::11/64 dev br-ex nodad',
      'link set br-ex up',
    ]);
  });
});

describe('the chassis of a node', () => {
  it('is named after the Node and finds the southbound', () => {
    const settings = chassisSettings({ ...first, chassis: 'c-1' }, topology);
    expect(settings).toEqual(
      expect.arrayContaining([
        'external_ids:system-id="c-1"',
        'external_ids:hostname="ovn-chassis-1"',
        'external_ids:ovn-remote="tcp:170.168.0.2:6642"',
        'external_ids:ovn-encap-ip="170.168.0.3"',
        'external_ids:ovn-bridge-mappings="physnet:br-ex"',
        'other_config:hwaddr="0a:58:aa:a8:00:03"',
      ]),
    );
    expect(settings.join(' ')).toContain(
      '-- add-br br-int -- set Bridge br-int datapath_type=netdev fail_mode=secure',
    );
  });

  it('runs its programs in the namespace of the node', () => {
    const { controller } = chassisProcesses(first, new RunPaths('shop', '/r'), noPrograms);
    expect(controller.name).toBe('ovn-chassis-1/controller');
    expect(controller.command.args.slice(0, 4)).toEqual(['netns', 'exec', 'knb-shop-n1', 'ovn-controller']);
    expect(controller.command.args).toContain(controller.marker);
    expect(controller.env).toMatchObject({ OVN_RUNDIR: '/r/shop/n1', OVS_RUNDIR: '/r/shop/n1' });
  });
});

describe('socket paths', () => {
  it('are refused where the kernel cannot take them', () => {
    expect(socketProblem(new RunPaths('shop', '/run/kube-northbound'), topology)).toBeUndefined();
    // 107 bytes are the most: the path below /n2/ovn-controller.4194304.ctl
    const room = 107 - '/shop/n2/ovn-controller.4194304.ctl'.length;
    const base = (length: number) => `/${'r'.repeat(length - 1)}`;
    expect(socketProblem(new RunPaths('shop', base(room)), topology)).toBeUndefined();
    expect(socketProblem(new RunPaths('shop', base(room + 1)), topology)).toMatch(
      /108 bytes.*KUBE_NORTHBOUND_RUN/,
    );
  });
});
