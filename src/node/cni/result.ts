import type { CniResult } from '../../contracts/cni.ts';

/** Everything that ADD tells the runtime, whatever the version of the specification. */
export interface Attachment {
  readonly hostInterface: { readonly name: string; readonly mac: string };
  readonly podInterface: { readonly name: string; readonly mac: string; readonly netns: string };
  readonly mtu: number;
  /** With the subnet's prefix length, e.g. 10.128.0.5/23; one of each family at most. */
  readonly ips: readonly { readonly address: string; readonly gateway: string }[];
}

/**
 * The result of ADD in the asked version: 0.4.0 wants the family of each address, only 1.1.0 knows `mtu`. What the
 * plugins before ours in a chain have made (`previous`) stays in it, before ours.
 */
export function addResult(attachment: Attachment, cniVersion: string, previous: CniResult = {}): CniResult {
  const { hostInterface, podInterface, mtu, ips } = attachment;
  const size = cniVersion === '1.1.0' ? { mtu } : {};
  const isV6 = (address: string) => address.includes(':');
  const before = (field: string): readonly unknown[] => {
    const list = previous[field];
    return Array.isArray(list) ? list : [];
  };
  const podIndex = before('interfaces').length + 1;
  return {
    dns: {},
    ...previous,
    cniVersion,
    interfaces: [
      ...before('interfaces'),
      { name: hostInterface.name, mac: hostInterface.mac, ...size },
      { name: podInterface.name, mac: podInterface.mac, ...size, sandbox: podInterface.netns },
    ],
    ips: [
      ...before('ips'),
      ...ips.map(({ address, gateway }) => ({
        ...(cniVersion === '0.4.0' ? { version: isV6(address) ? '6' : '4' } : {}),
        address,
        gateway,
        interface: podIndex,
      })),
    ],
    routes: [
      ...before('routes'),
      ...ips.map(({ gateway }) => ({ dst: isV6(gateway) ? '::/0' : '0.0.0.0/0', gw: gateway })),
    ],
  };
}
