import { createHash } from 'node:crypto';

/** A pod's interface as the kernel is to have it. */
export interface PodInterface {
  readonly hostName: string;
  readonly podName: string;
  readonly netns: string;
  readonly mac: string;
  readonly mtu: number;
  /** Addresses with prefix length and their gateway; one of each family at most. */
  readonly ips: readonly { readonly address: string; readonly gateway: string }[];
}

/**
 * The host's end of a pod's veth pair: the same for the same sandbox and interface, so that DEL finds it without a
 * record. 15 characters (IFNAMSIZ - 1); a hash, because sandbox ids may share their beginning.
 */
export function hostInterfaceName(sandbox: string, interfaceName: string): string {
  const hash = createHash('sha256').update(`${sandbox}/${interfaceName}`).digest('hex');
  return `knb${hash.slice(0, 12)}`;
}

/** Whether a name has the form of {@link hostInterfaceName}. */
export function isHostInterfaceName(name: string): boolean {
  return /^knb[0-9a-f]{12}$/.test(name);
}

/**
 * Lines for `ip -batch` in the node's namespace. The MAC is given at creation, before the link is up. The host's end
 * has no IPv6 address of its own: its router solicitations would only be noise on the bridge.
 */
export function createVeth(pod: PodInterface): string {
  const peer = `peer name ${pod.podName} address ${pod.mac} mtu ${pod.mtu} netns ${pod.netns}`;
  return lines(
    `link add name ${pod.hostName} mtu ${pod.mtu} type veth ${peer}`,
    `link set dev ${pod.hostName} addrgenmode none`,
    `link set dev ${pod.hostName} up`,
  );
}

/** Lines for `ip -batch` in the pod's namespace, after the interface's sysctls. */
export function configurePodInterface(pod: PodInterface): string {
  return lines(
    'link set dev lo up',
    `link set dev ${pod.podName} addrgenmode eui64`,
    ...pod.ips.map(({ address }) => `addr add ${address} dev ${pod.podName}${isV6(address) ? ' nodad' : ''}`),
    `link set dev ${pod.podName} up`,
    ...pod.ips.map(
      ({ gateway }) => `route add ${isV6(gateway) ? '::/0' : '0.0.0.0/0'} via ${gateway} dev ${pod.podName}`,
    ),
  );
}

/** Runs a command inside a network namespace given by its path. */
export function inNamespace(netns: string, ...command: readonly string[]): [string, ...string[]] {
  return ['nsenter', `--net=${netns}`, '--', ...command];
}

/**
 * Settings of one interface under /proc/sys/net/ipv6/conf. A kernel without IPv6 lacks the folder; then there is
 * nothing to set. A plain shell, as containers often lack sysctl(8).
 */
export function setIpv6(
  interfaceName: string,
  settings: Readonly<Record<string, number>>,
): [string, ...string[]] {
  const folder = `/proc/sys/net/ipv6/conf/${interfaceName}`;
  const writes = Object.entries(settings).map(([name, value]) => `echo ${value} > "$1/${name}"`);
  return ['sh', '-ec', `[ ! -d "$1" ] || { ${writes.join('; ')}; }`, 'sh', folder];
}

/** IPv6 as a pod has it: no addresses or routes from advertisements; on where the pod has an IPv6 address. */
export function podIpv6Settings(pod: PodInterface): Readonly<Record<string, number>> {
  const wanted = pod.ips.some(({ address }) => isV6(address));
  return { accept_ra: 0, ...(wanted ? { disable_ipv6: 0 } : {}) };
}

function isV6(address: string): boolean {
  return address.includes(':');
}

function lines(...commands: readonly string[]): string {
  return commands.map(command => `${command}\n`).join('');
}
