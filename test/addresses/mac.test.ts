import { describe, expect, it } from '@jest/globals';
import { linkLocalOf, macOf, parseIp, parseMac } from '../../src/addresses/index.ts';

describe('macOf', () => {
  it.each([
    ['10.128.0.5', '0a:58:0a:80:00:05'],
    ['255.254.1.0', '0a:58:ff:fe:01:00'],
    // printf %s fd01::5 | sha256sum
    ['fd01::5', '0a:58:17:c7:32:f6'],
    ['FD01:0:0:0::5', '0a:58:17:c7:32:f6'],
    // printf %s fd98::1 | sha256sum
    ['fd98::1', '0a:58:ee:33:fc:1a'],
  ])('of %s is %s', (text, mac) => {
    const ip = parseIp(text);
    expect(ip && macOf(ip)).toBe(mac);
  });
});

describe('parseMac', () => {
  it('writes lower case', () => {
    expect(parseMac('0A:58:0a:80:00:FF')).toBe('0a:58:0a:80:00:ff');
  });

  it.each([
    '00:00:00:00:00:00',
    'ff:ff:ff:ff:ff:ff',
    '01:00:5e:00:00:01',
    '0a:58:0a:80:00',
    '0a:58:0a:80:00:05:06',
    '0a-58-0a-80-00-05',
    'a:58:a:80:0:5',
    '0a:58:0a:80:00:0g',
    '',
  ])('refuses %j', text => {
    expect(parseMac(text)).toBeUndefined();
  });
});

describe('linkLocalOf', () => {
  it.each([
    ['0a:58:0a:80:00:05', 'fe80::858:aff:fe80:5'],
    ['00:00:5e:00:53:01', 'fe80::200:5eff:fe00:5301'],
    ['02:00:00:00:00:01', 'fe80::ff:fe00:1'],
  ])('of %s is %s', (mac, address) => {
    expect(linkLocalOf(mac)).toBe(address);
  });
});
