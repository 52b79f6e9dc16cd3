import { z } from 'zod';

/** The defaults are those of OVN-Kubernetes. */
const clusterSubnet = z.strictObject({
  cidr: z.string(),
  hostPrefix: z.int(),
});

/** The shape of the configuration file. What the values mean is checked in `network.ts`. */
export const configSchema = z.strictObject({
  installation: z
    .string()
    .regex(
      /^[a-z0-9][-a-z0-9]{0,62}$/,
      'must be 1 to 63 lower-case letters, digits and hyphens, and not start with a hyphen',
    )
    .default('default'),
  clusterSubnets: z
    .array(clusterSubnet)
    .min(1, 'needs at least one subnet, e.g. {cidr: 10.128.0.0/14, hostPrefix: 23}')
    .default([
      { cidr: '10.128.0.0/14', hostPrefix: 23 },
      { cidr: 'fd01::/48', hostPrefix: 64 },
    ]),
  joinSubnets: z.array(z.string()).default(['100.64.0.0/16', 'fd98::/64']),
  excludeSubnets: z.array(z.string()).default([]),
  mtu: z
    .int()
    .min(1280, 'must be at least 1280, which IPv6 needs')
    .max(65535, 'must be at most 65535')
    .default(1400),
});

/** The configuration as it is written: every field is there, subnets are text. */
export type WrittenConfig = z.output<typeof configSchema>;

/** Every field of the file, as a path: `mtu`, `clusterSubnets[].cidr`. */
export function configFields(): readonly string[] {
  const nested = Object.keys(clusterSubnet.shape).map(name => `clusterSubnets[].${name}`);
  return [...Object.keys(configSchema.shape), ...nested];
}
