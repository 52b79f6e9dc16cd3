import { runCommand } from '../processes/run-command.ts';
import { hostNamespaces, type SandboxNode, type Topology } from './topology.ts';

/** Interfaces of a node: the underlay's and the outside's ends of its cables. */
export const UNDERLAY_PORT = 'ul0';
export const OUTSIDE_PORT = 'ex0';

/** Lines for `ip -batch` in the root namespace: every host's namespace. */
export function namespaceLines(topology: Topology): readonly string[] {
  return hostNamespaces(topology).map(netns => `netns add ${netns}`);
}

/**
 * Lines for `ip -batch` in the namespace of the bridges: two Linux bridges, and a cable from each host to them. Snooping
 * is off, because without a querier it would hold multicast back.
 */
export function fabricLines({ central, outside, nodes }: Topology): readonly string[] {
  return [
    'link set lo up',
    ...['underlay', 'external'].flatMap(bridge => [
      `link add ${bridge} type bridge mcast_snooping 0`,
      `link set ${bridge} up`,
    ]),
    ...cable('u0', 'underlay', central.netns, 'eth0'),
    ...cable('x0', 'external', outside.netns, 'eth0'),
    ...nodes.flatMap(({ netns }, index) => [
      ...cable(`u${index + 1}`, 'underlay', netns, UNDERLAY_PORT),
      ...cable(`x${index + 1}`, 'external', netns, OUTSIDE_PORT),
    ]),
  ];
}

/** Lines for `ip -batch` in a plain host: its one interface and its addresses (with prefix length). */
export function hostLines(addresses: readonly string[]): readonly string[] {
  return ['link set lo up', ...addressLines('eth0', addresses), 'link set eth0 up'];
}

/** Lines for `ip -batch` in a node before its OVS runs. */
function nodeLines(): readonly string[] {
  return ['link set lo up', `link set ${UNDERLAY_PORT} up`, `link set ${OUTSIDE_PORT} up`];
}

/** Lines for `ip -batch` in a node whose OVS has made the bridges. May be run again at any time. */
export function bridgeLines(node: SandboxNode, underlayPrefix: number): readonly string[] {
  return [
    ...addressLines('br-phy', [`${node.encapIp}/${underlayPrefix}`]),
    'link set br-phy up',
    ...addressLines('br-ex', node.addresses),
    'link set br-ex up',
  ];
}

/** Runs lines of ip(8) as one program; `netns` undefined is the root namespace. */
export async function ipBatch(netns: string | undefined, lines: readonly string[]): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns];
  await runCommand({ file: 'ip', args: [...where, '-batch', '-'] }, { input: `${lines.join('\n')}\n` });
}

/** Makes every namespace and cable of a sandbox. */
export async function makeNetwork(topology: Topology): Promise<void> {
  const { central, outside, nodes, fabric, underlayPrefix } = topology;
  await ipBatch(undefined, namespaceLines(topology));
  await quietBridges(fabric);
  await ipBatch(fabric, fabricLines(topology));
  await Promise.all([
    makeHost(central.netns, [`${central.ip}/${underlayPrefix}`]),
    makeHost(outside.netns, outside.addresses),
    ...nodes.map(node => ipBatch(node.netns, nodeLines())),
  ]);
}

async function makeHost(netns: string, addresses: readonly string[]): Promise<void> {
  await ipBatch(netns, hostLines(addresses));
  await checksumsInSoftware(netns, 'eth0');
}

/**
 * The userspace datapath passes frames on as it reads them, and a veth's sender leaves their checksums half done: TCP and
 * UDP would time out.
 */
async function checksumsInSoftware(netns: string, device: string): Promise<void> {
  await runCommand({ file: 'ip', args: ['netns', 'exec', netns, 'ethtool', '-K', device, 'tx', 'off'] });
}

/** Bridges must neither pass frames through iptables (the default in a new namespace) nor speak IPv6 themselves. */
async function quietBridges(netns: string): Promise<void> {
  const script = `
    for file in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e "$file" ] || echo 0 >"$file"; done
    for file in /proc/sys/net/ipv6/conf/all/disable_ipv6 /proc/sys/net/ipv6/conf/default/disable_ipv6; do
      [ ! -e "$file" ] || echo 1 >"$file"
    done`;
  await runCommand({ file: 'ip', args: ['netns', 'exec', netns, 'sh', '-ec', script] });
}

function cable(device: string, bridge: string, netns: string, peer: string): readonly string[] {
  return [
    `link add ${device} type veth peer name ${peer} netns ${netns}`,
    `link set ${device} master ${bridge} up`,
  ];
}

/** Without `nodad` an IPv6 address cannot be used in its first second. */
function addressLines(device: string, addresses: readonly string[]): readonly string[] {
  return addresses.map(
    address => `addr replace ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`,
  );
}
