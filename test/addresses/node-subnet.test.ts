import { describe, expect, it } from '@jest/globals';
import {
  formatIp,
  gatewayOf,
  lastPodHost,
  managementIpOf,
  parseCidr,
  parseIp,
  reservedFor,
} from '../../src/addresses/index.ts';

function roles(subnet: string, addresses: readonly string[]): (string | undefined)[] {
  const cidr = parseCidr(subnet);
  return addresses.map(text => {
    const ip = parseIp(text);
    if (!cidr || !ip) throw new Error(`bad test data: ${subnet} ${text}`);
    return reservedFor(cidr, ip);
  });
}

describe("a node's subnet", () => {
  it.each([
    ['10.128.2.0/23', '10.128.2.1', '10.128.2.2', 510n],
    ['fd01:0:0:2::/64', 'fd01:0:0:2::1', 'fd01:0:0:2::2', 2n ** 64n - 1n],
  ])('%s has gateway, management port and room for pods', (text, gateway, management, last) => {
    const subnet = parseCidr(text);
    if (!subnet) throw new Error('bad test data');
    expect(formatIp(gatewayOf(subnet))).toBe(gateway);
    expect(formatIp(managementIpOf(subnet))).toBe(management);
    expect(lastPodHost(subnet)).toBe(last);
  });

  it('names what an address is reserved for', () => {
    expect(roles('10.128.2.0/23', ['10.128.2.0', '10.128.2.1', '10.128.2.2', '10.128.3.255'])).toEqual([
      'the network address',
      "the node's gateway",
      "the node's management port",
      'the broadcast address',
    ]);
    expect(roles('10.128.2.0/23', ['10.128.2.3', '10.128.2.255', '10.128.3.0', '10.128.3.254'])).toEqual(
      new Array(4).fill(undefined),
    );
    expect(roles('fd01::/64', ['fd01::', 'fd01::ffff:ffff:ffff:ffff'])).toEqual([
      'the network address',
      undefined,
    ]);
  });
});
