import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatCidr } from '../../src/addresses/index.ts';
import { type Config, ConfigError, loadConfig, parseConfig } from '../../src/config/index.ts';
import { configFields } from '../../src/config/schema.ts';

const written = (config: Config) => ({
  ...config,
  clusterSubnets: config.clusterSubnets.map(
    ({ cidr, hostPrefix }) => `${formatCidr(cidr)} by /${hostPrefix}`,
  ),
  joinSubnets: config.joinSubnets.map(formatCidr),
  excludeSubnets: config.excludeSubnets.map(formatCidr),
});

const defaults = {
  installation: 'default',
  clusterSubnets: ['10.128.0.0/14 by /23', 'fd01::/48 by /64'],
  joinSubnets: ['100.64.0.0/16', 'fd98::/64'],
  excludeSubnets: [],
  mtu: 1400,
};

function errorOf(text: string): string {
  try {
    parseConfig(text, 'c.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no error';
}

const v4 = (more: string) => `clusterSubnets: [{cidr: 10.0.0.0/16, hostPrefix: 24}]\n${more}`;

describe('configuration', () => {
  it('has defaults for every field', () => {
    expect(written(loadConfig(undefined))).toEqual(defaults);
    for (const empty of ['', '# nothing\n', '{}', '---\n']) {
      expect(written(parseConfig(empty, 'c.yaml'))).toEqual(defaults);
    }
  });

  it('is read from a file', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'config-'));
    try {
      const file = path.join(folder, 'c.yaml');
      writeFileSync(file, v4('installation: blue-2\nmtu: 8900\njoinSubnets: [100.64.0.0/16]'));
      expect(written(loadConfig(file))).toEqual({
        installation: 'blue-2',
        clusterSubnets: ['10.0.0.0/16 by /24'],
        joinSubnets: ['100.64.0.0/16'],
        excludeSubnets: [],
        mtu: 8900,
      });
      expect(() => loadConfig(path.join(folder, 'none.yaml'))).toThrow(ConfigError);
      expect(() => loadConfig(path.join(folder, 'none.yaml'))).toThrow(
        /none\.yaml: cannot be read: .*ENOENT/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes the limits themselves', () => {
    expect(written(parseConfig(`mtu: 1280\ninstallation: ${'a'.repeat(63)}`, 'c.yaml')).mtu).toBe(1280);
    const tight =
      'clusterSubnets: [{cidr: 10.0.0.0/29, hostPrefix: 29}, {cidr: "fd00::/125", hostPrefix: 125}]\nmtu: 65535';
    expect(written(parseConfig(tight, 'c.yaml')).clusterSubnets).toEqual([
      '10.0.0.0/29 by /29',
      'fd00::/125 by /125',
    ]);
  });

  it.each([
    [
      'an unknown field',
      'mtv: 3',
      /^c\.yaml: mtv: unknown field: remove it \(known fields: installation, clusterSubnets/,
    ],
    [
      'an unknown field deeper',
      'clusterSubnets: [{cidr: 10.0.0.0/16, hostPrefix: 24, x: 1}]',
      /^c\.yaml: clusterSubnets\[0\]\.x: unknown field/,
    ],
    [
      'a field left out',
      'clusterSubnets: [{cidr: 10.0.0.0/16}]',
      /^c\.yaml: clusterSubnets\[0\]\.hostPrefix: /,
    ],
    ['no subnets', 'clusterSubnets: []', /^c\.yaml: clusterSubnets: needs at least one subnet, e\.g\./],
    ['a wrong type', 'mtu: "1400"', /^c\.yaml: mtu: .*number/],
    ['a small MTU', 'mtu: 1279', /^c\.yaml: mtu: must be at least 1280, which IPv6 needs$/],
    ['a large MTU', 'mtu: 65536', /^c\.yaml: mtu: must be at most 65535$/],
    ['a broken MTU', 'mtu: 1400.5', /^c\.yaml: mtu: /],
    ['a long name', `installation: ${'a'.repeat(64)}`, /^c\.yaml: installation: must be 1 to 63 lower-case/],
    ['a name with a hyphen first', 'installation: -a', /^c\.yaml: installation: must be 1 to 63/],
    ['a document that is no mapping', '- 1', /^c\.yaml: .*object/],
    [
      'no subnet',
      v4('joinSubnets: [100.64.0.0]'),
      'c.yaml: joinSubnets[0]: "100.64.0.0" is not a subnet: write it as address/prefix, e.g. 10.128.0.0/14 or fd01::/48',
    ],
    [
      'host bits',
      v4('joinSubnets: [100.64.0.1/16]'),
      'c.yaml: joinSubnets[0]: "100.64.0.1/16" has host bits set: write 100.64.0.0/16',
    ],
    [
      'overlap with the join subnet',
      v4('joinSubnets: [10.0.128.0/24]'),
      'c.yaml: joinSubnets[0]: 10.0.128.0/24 overlaps clusterSubnets[0].cidr, 10.0.0.0/16: choose another',
    ],
    [
      'overlap of cluster subnets',
      'clusterSubnets: [{cidr: 10.0.0.0/16, hostPrefix: 24}, {cidr: 10.0.0.0/8, hostPrefix: 24}]',
      'c.yaml: clusterSubnets[1].cidr: 10.0.0.0/8 overlaps clusterSubnets[0].cidr, 10.0.0.0/16: choose another',
    ],
    [
      'two join subnets of a family',
      v4('joinSubnets: [100.64.0.0/16, 100.65.0.0/16]'),
      'c.yaml: joinSubnets[1]: is a second IPv4 subnet: keep one of each family',
    ],
    [
      'a family without join subnet',
      v4('joinSubnets: ["fd98::/64"]'),
      'c.yaml: joinSubnets: lacks an IPv4 subnet, which clusterSubnets has: add one, e.g. 100.64.0.0/16',
    ],
    [
      'node subnets larger than all',
      'clusterSubnets: [{cidr: 10.0.0.0/16, hostPrefix: 15}]',
      'c.yaml: clusterSubnets[0].hostPrefix: /15 is larger than the subnet 10.0.0.0/16: use 16 to 29',
    ],
    [
      'node subnets too small',
      'clusterSubnets: [{cidr: 10.0.0.0/16, hostPrefix: 30}]',
      'c.yaml: clusterSubnets[0].hostPrefix: /30 is too small for a node: use at most 29 for IPv4',
    ],
    [
      'IPv6 node subnets too small',
      'clusterSubnets: [{cidr: "fd00::/48", hostPrefix: 126}]',
      'c.yaml: clusterSubnets[0].hostPrefix: /126 is too small for a node: use at most 125 for IPv6',
    ],
    ['broken YAML', 'mtu: 1400\nmtu: 1500', 'c.yaml: line 2, column 1: Map keys must be unique'],
    ['an unknown alias', 'mtu: *x', /^c\.yaml: .*alias/i],
  ])('refuses %s', (_, text, message) => {
    if (typeof message === 'string') expect(errorOf(text)).toBe(message);
    else expect(errorOf(text)).toMatch(message);
  });

  it('tells all problems, a line each', () => {
    expect(errorOf('mtu: 1\ninstallation: A\nx: 1').split('\n')).toHaveLength(3);
  });

  it('is described in the documentation, field by field', () => {
    const text = readFileSync(path.join(__dirname, '../../docs/configuration.md'), 'utf8');
    const described = text.split('\n').flatMap(line => /^\| `([^`]+)` \|/.exec(line)?.[1] ?? []);
    expect(described.sort()).toEqual([...configFields()].sort());
    const example = /```yaml\n(.*?)```/s.exec(text)?.[1] ?? '';
    expect(written(parseConfig(example, 'docs'))).toEqual(defaults);
  });
});
