import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  type Cidr,
  cidrContains,
  cidrOf,
  cidrsOverlap,
  formatCidr,
  formatInterface,
  formatIp,
  hostAt,
  type Ip,
  lastOf,
  parseCidr,
  parseInterfaceCidr,
  parseIp,
  sizeOf,
} from '../../src/addresses/index.ts';

const network4 = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 32 }))
  .map(([value, prefix]) => cidrOf({ family: 4, value }, prefix));
const network6 = fc
  .tuple(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.integer({ min: 0, max: 128 }))
  .map(([value, prefix]) => cidrOf({ family: 6, value }, prefix));
const network = fc.oneof(network4, network6);

function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (!parsed) throw new Error(`not an address: ${text}`);
  return parsed;
}

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`not a network: ${text}`);
  return parsed;
}

describe('parseCidr', () => {
  it.each([
    ['10.128.1.7/23', '10.128.0.0/23'],
    ['255.255.255.255/0', '0.0.0.0/0'],
    ['200.1.2.3/32', '200.1.2.3/32'],
    ['FD01:0:0:1::5/64', 'fd01:0:0:1::/64'],
    ['ffff::1/0', '::/0'],
  ])('reads %s as the network %s', (text, printed) => {
    expect(formatCidr(cidr(text))).toBe(printed);
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0/8',
    '::/129',
    '::/64/1',
    '/8',
  ])('refuses %j', text => {
    expect(parseCidr(text)).toBeUndefined();
    expect(parseInterfaceCidr(text)).toBeUndefined();
  });

  it('gives the network that ipaddr.js gives', () => {
    fc.assert(
      fc.property(network, fc.bigInt({ min: 0n, max: 2n ** 128n }), (net, host) => {
        const text = formatInterface(hostAt(net, host % sizeOf(net)), net.prefix);
        const oracle =
          net.family === 4
            ? ipaddr.IPv4.networkAddressFromCIDR(text).toString()
            : ipaddr.IPv6.networkAddressFromCIDR(text).toRFC5952String();
        expect(parseCidr(text)).toEqual(parseCidr(`${oracle}/${net.prefix}`));
      }),
    );
  });
});

describe('parseInterfaceCidr', () => {
  it('keeps the host bits', () => {
    expect(parseInterfaceCidr('10.128.1.7/23')).toEqual({ ip: ip('10.128.1.7'), prefix: 23 });
    expect(parseInterfaceCidr('fd01::7/64')).toEqual({ ip: ip('fd01::7'), prefix: 64 });
  });
});

describe('cidrOf', () => {
  it('refuses a prefix that the family does not have', () => {
    expect(() => cidrOf(ip('10.0.0.1'), 33)).toThrow('an IPv4 prefix has 0 to 32 bits, not 33');
    expect(() => cidrOf(ip('::1'), 1.5)).toThrow(RangeError);
  });
});

describe('hostAt, lastOf and sizeOf', () => {
  it.each([
    ['10.128.0.0/23', '10.128.0.1', '10.128.1.255', 512n],
    ['0.0.0.0/0', '0.0.0.1', '255.255.255.255', 2n ** 32n],
    ['255.255.255.254/31', '255.255.255.255', '255.255.255.255', 2n],
    ['fd01::/64', 'fd01::1', 'fd01::ffff:ffff:ffff:ffff', 2n ** 64n],
  ])('%s', (text, first, last, size) => {
    const net = cidr(text);
    expect(formatIp(hostAt(net, 1))).toBe(first);
    expect(formatIp(lastOf(net))).toBe(last);
    expect(sizeOf(net)).toBe(size);
  });

  it('has no address outside the network', () => {
    expect(() => hostAt(cidr('10.0.0.4/30'), 4)).toThrow('10.0.0.4/30 has no address number 4');
    expect(() => hostAt(cidr('10.0.0.4/30'), -1)).toThrow(RangeError);
  });
});

describe('cidrContains and cidrsOverlap', () => {
  it('holds the first and the last address, and not their neighbours', () => {
    const net = cidr('10.128.2.0/23');
    expect(['10.128.2.0', '10.128.3.255'].map(text => cidrContains(net, ip(text)))).toEqual([true, true]);
    expect(['10.128.1.255', '10.128.4.0', '::a80:200'].map(text => cidrContains(net, ip(text)))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('agrees with ipaddr.js about single addresses', () => {
    const pairs = fc.oneof(
      fc.tuple(network4, network4),
      fc.tuple(network6, network6),
      fc.tuple(network6, fc.nat({ max: 128 })).map(([net, bits]) => [net, cidrOf(net.ip, bits)] as const),
      fc.tuple(network4, fc.nat({ max: 32 })).map(([net, bits]) => [net, cidrOf(net.ip, bits)] as const),
    );
    fc.assert(
      fc.property(pairs, ([net, { ip: address }]) => {
        expect(cidrContains(net, address)).toBe(oracleContains(net, address));
      }),
    );
  });

  it('overlap means that one holds the other', () => {
    fc.assert(
      fc.property(network, network, fc.nat({ max: 128 }), (a, b, bits) => {
        const near = cidrOf(a.ip, Math.min(bits, a.family === 4 ? 32 : 128));
        for (const other of [b, near]) {
          const shares = cidrContains(a, other.ip) || cidrContains(other, a.ip);
          expect(cidrsOverlap(a, other)).toBe(shares);
          expect(cidrsOverlap(other, a)).toBe(shares);
        }
      }),
    );
  });
});

function oracleContains(net: Cidr, address: Ip): boolean {
  const first = ipaddr.parse(formatIp(net.ip));
  const other = ipaddr.parse(formatIp(address));
  if (first instanceof ipaddr.IPv4) return other instanceof ipaddr.IPv4 && other.match(first, net.prefix);
  return other instanceof ipaddr.IPv6 && other.match(first, net.prefix);
}
