import { describe, expect, it } from '@jest/globals';
import { defaultRemotes, EndpointError, formatEndpoint, parseRemotes } from '../../src/ovsdb-client/index.ts';

const parse = (text: string) => parseRemotes(text, { defaultPort: 6641 });

describe('addresses', () => {
  it.each([
    ['unix:/run/db.sock', [{ kind: 'unix', path: '/run/db.sock' }]],
    ['unix:relative.sock', [{ kind: 'unix', path: 'relative.sock' }]],
    ['tcp:10.0.0.1:16641', [{ kind: 'tcp', host: '10.0.0.1', port: 16641 }]],
    ['tcp:10.0.0.1', [{ kind: 'tcp', host: '10.0.0.1', port: 6641 }]],
    ['ssl:nb.example.org:1', [{ kind: 'ssl', host: 'nb.example.org', port: 1 }]],
    ['ssl:[fd00::1]:65535', [{ kind: 'ssl', host: 'fd00::1', port: 65535 }]],
    ['tcp:[::1]', [{ kind: 'tcp', host: '::1', port: 6641 }]],
    ['tcp:[fe80::1%eth0]:6641', [{ kind: 'tcp', host: 'fe80::1%eth0', port: 6641 }]],
    [
      'tcp:a:1, tcp:b:2,unix:/c',
      [
        { kind: 'tcp', host: 'a', port: 1 },
        { kind: 'tcp', host: 'b', port: 2 },
        { kind: 'unix', path: '/c' },
      ],
    ],
  ])('%s', (text, endpoints) => {
    expect(parse(text)).toEqual(endpoints);
  });

  it.each([
    ['', 'begins with none of unix:, tcp:, ssl:'],
    ['nonsense', 'begins with none of unix:, tcp:, ssl:'],
    ['http://host:80', 'begins with none of'],
    ['ptcp:6641', 'begins with none of'],
    ['unix:', 'the path is missing'],
    ['tcp:', 'there is no host in it'],
    ['tcp::6641', 'there is no host in it'],
    ['tcp:fd00::1:6641', 'the port must be a number from 1 to 65535'],
    ['tcp:::1', 'there is no host in it'],
    ['tcp:[fd00::1', 'there is no host in it'],
    ['tcp:host:0', 'the port must be a number from 1 to 65535'],
    ['tcp:host:65536', 'the port must be a number'],
    ['tcp:host:', 'the port must be a number'],
    ['tcp:host:6641x', 'the port must be a number'],
    ['tcp:a:1,', 'begins with none of'],
  ])('%j is none', (text, reason) => {
    expect(() => parse(text)).toThrow(EndpointError);
    expect(() => parse(text)).toThrow(reason);
    expect(() => parse(text)).toThrow('use unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT');
  });

  it('are printed as they are read', () => {
    for (const text of ['unix:/a', 'tcp:1.2.3.4:5', 'ssl:[::1]:6642']) {
      expect(parse(text).map(formatEndpoint)).toEqual([text]);
    }
  });

  it('come from the environment as for ovn-nbctl and ovn-sbctl', () => {
    const environment = { OVN_NB_DB: 'tcp:a', OVN_SB_DB: 'tcp:b' };
    expect(defaultRemotes('nb', environment).map(formatEndpoint)).toEqual(['tcp:a:6641']);
    expect(defaultRemotes('sb', environment).map(formatEndpoint)).toEqual(['tcp:b:6642']);
    expect(defaultRemotes('nb', {}).map(formatEndpoint)).toEqual(['unix:/var/run/ovn/ovnnb_db.sock']);
    expect(defaultRemotes('sb', { OVN_RUNDIR: '/x' }).map(formatEndpoint)).toEqual(['unix:/x/ovnsb_db.sock']);
  });
});
