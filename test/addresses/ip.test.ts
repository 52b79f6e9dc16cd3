import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { compareIps, formatIp, type Ip, ipKey, ipOfKey, parseIp } from '../../src/addresses/index.ts';

const ipv4 = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((value): Ip => ({ family: 4, value }));
/** Groups with many zeros, so that zero runs of every shape occur. */
const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
});
const ipv6 = groups.map(
  (list): Ip => ({ family: 6, value: list.reduce((value, group) => (value << 16n) | BigInt(group), 0n) }),
);

describe('parseIp', () => {
  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.04',
    '1.2.3.00',
    '1..3.4',
    '.1.2.3',
    '1.2.3.',
    '1.2.3.4 ',
    '-1.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4/24',
    'localhost',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1::2::3',
    ':1::2',
    '1::2:',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.04',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '[::1]',
  ])('refuses %j', text => {
    expect(parseIp(text)).toBeUndefined();
  });

  it.each([
    ['0.0.0.0', { family: 4, value: 0 }],
    ['255.255.255.255', { family: 4, value: 0xffffffff }],
    ['10.128.0.5', { family: 4, value: 0x0a800005 }],
    ['::', { family: 6, value: 0n }],
    ['1:2:3:4:5:6:7::', { family: 6, value: 0x00010002000300040005000600070000n }],
    ['2001:0DB8::0001', { family: 6, value: 0x20010db8000000000000000000000001n }],
    ['::ffff:10.0.0.1', { family: 6, value: 0xffff0a000001n }],
    ['64:ff9b::10.0.0.1', { family: 6, value: 0x64ff9b00000000000000000a000001n }],
    ['1:2:3:4:5:6:1.2.3.4', { family: 6, value: 0x00010002000300040005000601020304n }],
  ])('reads %s', (text, ip) => {
    expect(parseIp(text)).toEqual(ip);
  });

  it('agrees with ipaddr.js on near misses', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'0129afx:.'), maxLength: 12 });
    const pieces = fc
      .array(fc.constantFrom('', '0', '1', 'ffff', '1.2.3.4', 'fffff'), { minLength: 1, maxLength: 9 })
      .map(parts => parts.join(':'));
    fc.assert(
      fc.property(fc.oneof(nearly, pieces), text => {
        const isOurs = parseIp(text) !== undefined;
        const isTheirs = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
        expect([text, isOurs]).toEqual([text, isTheirs]);
      }),
      { numRuns: 800 },
    );
  });

  it('reads what ipaddr.js prints, to the same bytes', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), ip => {
        const oracle = ipaddr.fromByteArray(bytesOf(ip));
        expect(parseIp(oracle.toString())).toEqual(ip);
        expect(parseIp(oracle.toNormalizedString())).toEqual(ip);
      }),
    );
  });
});

describe('formatIp', () => {
  it.each([
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:1:2:3:4:0:0', '::1:2:3:4:0:0'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
    ['::ffff:a00:1', '::ffff:10.0.0.1'],
    ['::a00:1', '::a00:1'],
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
  ])('writes %s as %s', (text, printed) => {
    const ip = parseIp(text);
    expect(ip && formatIp(ip)).toBe(printed);
  });

  it('agrees with ipaddr.js, and can be read back', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), ip => {
        const printed = formatIp(ip);
        expect(parseIp(printed)).toEqual(ip);
        const oracle = ipaddr.fromByteArray(bytesOf(ip));
        fc.pre(!(oracle instanceof ipaddr.IPv6 && oracle.isIPv4MappedAddress()));
        expect(printed).toBe(oracle instanceof ipaddr.IPv6 ? oracle.toRFC5952String() : oracle.toString());
      }),
    );
  });
});

describe('compareIps', () => {
  it('orders IPv4 before IPv6, then by value and not by text', () => {
    const texts = ['::2', '10.0.0.10', '10.0.0.9', '::1', '9.255.255.255', '200.0.0.1'];
    const sorted = texts.flatMap(text => parseIp(text) ?? []).sort(compareIps);
    expect(sorted.map(formatIp)).toEqual([
      '9.255.255.255',
      '10.0.0.9',
      '10.0.0.10',
      '200.0.0.1',
      '::1',
      '::2',
    ]);
    expect(compareIps({ family: 6, value: 5n }, { family: 6, value: 5n })).toBe(0);
  });
});

describe('ipKey', () => {
  it('tells addresses apart, also those of the two families, and leads back to them', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.oneof(ipv4, ipv6), (a, b) => {
        expect(ipOfKey(ipKey(a))).toEqual(a);
        expect(ipKey(a) === ipKey(b)).toBe(a.family === b.family && a.value === b.value);
      }),
    );
    expect(ipKey({ family: 4, value: 1 })).not.toBe(ipKey({ family: 6, value: 1n }));
  });
});

function bytesOf(ip: Ip): number[] {
  const hex = ip.value.toString(16).padStart(ip.family === 4 ? 8 : 32, '0');
  return [...hex.matchAll(/../g)].map(([byte]) => Number.parseInt(byte, 16));
}
