import {
  type Cidr,
  cidrOf,
  cidrsOverlap,
  formatCidr,
  parseCidr,
  parseInterfaceCidr,
  parseIp,
} from '../addresses/index.ts';
import type { WrittenConfig } from './schema.ts';

/** A network that the nodes' subnets are cut from. */
export interface ClusterSubnet {
  readonly cidr: Cidr;
  /** The prefix length of one node's subnet. */
  readonly hostPrefix: number;
}

export interface Networks {
  readonly clusterSubnets: readonly ClusterSubnet[];
  /** At most one of each family. */
  readonly joinSubnets: readonly Cidr[];
  /** What is given to nobody who does not name it; a single address has the longest prefix. */
  readonly excludeSubnets: readonly Cidr[];
}

/** Tells that the value at this path is wrong, why, and what to write instead. */
export type Complain = (path: readonly (string | number)[], problem: string) => void;

/** A node's subnet holds network address, gateway, management port, a pod or two and, for IPv4, the broadcast address. */
const LONGEST_HOST_PREFIX = { 4: 29, 6: 125 } as const;

interface Named {
  readonly path: readonly (string | number)[];
  readonly cidr: Cidr;
}

/** Parses the subnets of a configuration and checks that they fit together. What is wrong goes to `complain`. */
export function readNetworks(written: WrittenConfig, complain: Complain): Networks {
  const cluster: Named[] = [];
  const clusterSubnets: ClusterSubnet[] = [];
  for (const [index, { cidr: text, hostPrefix }] of written.clusterSubnets.entries()) {
    const cidr = readCidr(['clusterSubnets', index, 'cidr'], text, complain);
    if (cidr === undefined) continue;
    checkHostPrefix(['clusterSubnets', index, 'hostPrefix'], cidr, hostPrefix, complain);
    cluster.push({ path: ['clusterSubnets', index, 'cidr'], cidr });
    clusterSubnets.push({ cidr, hostPrefix });
  }
  const join = written.joinSubnets.flatMap((text, index): Named[] => {
    const cidr = readCidr(['joinSubnets', index], text, complain);
    return cidr === undefined ? [] : [{ path: ['joinSubnets', index], cidr }];
  });
  const excludeSubnets = written.excludeSubnets.flatMap(
    (text, index) => readExcluded(['excludeSubnets', index], text, complain) ?? [],
  );
  checkOverlaps([...cluster, ...join], complain);
  const readable =
    cluster.length + join.length === written.clusterSubnets.length + written.joinSubnets.length;
  if (readable) checkFamilies(cluster, join, complain);
  return { clusterSubnets, joinSubnets: join.map(({ cidr }) => cidr), excludeSubnets };
}

/** A subnet, or a single address. */
function readExcluded(path: Named['path'], text: string, complain: Complain): Cidr | undefined {
  const ip = parseIp(text);
  if (ip) return cidrOf(ip, ip.family === 4 ? 32 : 128);
  return readCidr(path, text, complain);
}

function readCidr(path: Named['path'], text: string, complain: Complain): Cidr | undefined {
  const cidr = parseCidr(text);
  const written = parseInterfaceCidr(text);
  if (cidr === undefined || written === undefined) {
    complain(path, `"${text}" is not a subnet: write it as address/prefix, e.g. 10.128.0.0/14 or fd01::/48`);
    return undefined;
  }
  if (written.ip.value !== cidr.ip.value) {
    complain(path, `"${text}" has host bits set: write ${formatCidr(cidr)}`);
  }
  return cidr;
}

function checkHostPrefix(path: Named['path'], cidr: Cidr, hostPrefix: number, complain: Complain): void {
  const longest = LONGEST_HOST_PREFIX[cidr.family];
  if (hostPrefix < cidr.prefix) {
    complain(
      path,
      `/${hostPrefix} is larger than the subnet ${formatCidr(cidr)}: use ${cidr.prefix} to ${longest}`,
    );
  } else if (hostPrefix > longest) {
    complain(path, `/${hostPrefix} is too small for a node: use at most ${longest} for IPv${cidr.family}`);
  }
}

function checkOverlaps(subnets: readonly Named[], complain: Complain): void {
  for (const [index, { path, cidr }] of subnets.entries()) {
    const other = subnets.slice(0, index).find(earlier => cidrsOverlap(earlier.cidr, cidr));
    if (other === undefined) continue;
    complain(
      path,
      `${formatCidr(cidr)} overlaps ${fieldName(other.path)}, ${formatCidr(other.cidr)}: choose another`,
    );
  }
}

function checkFamilies(cluster: readonly Named[], join: readonly Named[], complain: Complain): void {
  for (const family of [4, 6] as const) {
    const ofFamily = join.filter(({ cidr }) => cidr.family === family);
    const second = ofFamily[1];
    if (second) complain(second.path, `is a second IPv${family} subnet: keep one of each family`);
    if (ofFamily.length === 0 && cluster.some(({ cidr }) => cidr.family === family)) {
      const example = family === 4 ? '100.64.0.0/16' : 'fd98::/64';
      complain(
        ['joinSubnets'],
        `lacks an IPv${family} subnet, which clusterSubnets has: add one, e.g. ${example}`,
      );
    }
  }
}

/** A path as people write it: `clusterSubnets[0].cidr`. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, step) =>
      typeof step === 'number' ? `${name}[${step}]` : name === '' ? String(step) : `${name}.${String(step)}`,
    '',
  );
}
