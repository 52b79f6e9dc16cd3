import { formatIp, parseInterfaceCidr, parseIp } from '../../addresses/index.ts';
import { CNI_CODES, type CniCheckRequest, CniError } from '../../contracts/cni.ts';
import type { Route } from '../system/links.ts';

/** What the result of the last ADD says of one pod's interface. Addresses in the kernel's own (canonical) form. */
export interface Expected {
  /** Undefined where the result does not tell. */
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
  readonly addresses: readonly string[];
  /** Routes of the main table; an empty `via` stands for any. */
  readonly routes: readonly Route[];
}

type Entry = Readonly<Record<string, unknown>>;

/** The kernel's number of the main routing table (rtnetlink(7), RT_TABLE_MAIN). */
const MAIN_TABLE = 254;

/**
 * Reads `prevResult` of CHECK: what it says of CNI_IFNAME. A later plugin of the chain may have changed things; then
 * the result says so, and that counts. Throws {@link CniError} 7 where the result does not have the interface.
 */
export function expectedOf({ prevResult, interfaceName }: CniCheckRequest): Expected {
  const interfaces = listAt(prevResult, 'interfaces');
  const index = interfaces.findIndex(({ name, sandbox }) => name === interfaceName && isText(sandbox));
  const found = interfaces[index];
  if (!found) throw invalid(`has no interface ${interfaceName} in a sandbox`);
  const addresses = listAt(prevResult, 'ips').filter(ip => ip.interface === index);
  const { mac, mtu } = found;
  return {
    mac: isText(mac) ? mac.toLowerCase() : undefined,
    mtu: typeof mtu === 'number' && mtu > 0 ? mtu : undefined,
    addresses: addresses.map(({ address }) => canonicalCidr(address)),
    routes: listAt(prevResult, 'routes').flatMap(({ dst, gw, table }) => {
      if (table !== undefined && table !== MAIN_TABLE) return [];
      return [{ to: canonicalCidr(dst), via: isText(gw) ? canonicalIp(gw) : '' }];
    }),
  };
}

function listAt(result: Entry, field: string): readonly Entry[] {
  const list = result[field] ?? [];
  const isEntry = (value: unknown) => typeof value === 'object' && value !== null;
  if (Array.isArray(list) && list.every(isEntry)) return list as readonly Entry[];
  throw invalid(`"${field}" must be a list of objects`);
}

function canonicalCidr(text: unknown): string {
  const parsed = isText(text) ? parseInterfaceCidr(text) : undefined;
  if (!parsed) throw invalid(`${JSON.stringify(text)} must be an address with prefix length`);
  return `${formatIp(parsed.ip)}/${parsed.prefix}`;
}

function canonicalIp(text: string): string {
  const parsed = parseIp(text);
  if (!parsed) throw invalid(`"${text}" must be an address`);
  return formatIp(parsed);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function invalid(problem: string): CniError {
  return new CniError(CNI_CODES.invalidConfiguration, `network configuration: prevResult: ${problem}`);
}
