import { formatIp, type Ip, parseIp } from './ip.ts';

/** A network. `ip` is its first address: all host bits are zero. Made by {@link cidrOf} and {@link parseCidr} only. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly ip: Ip;
  readonly prefix: number;
}

/** An address on an interface, with the prefix length of its subnet. */
export interface InterfaceAddress {
  readonly ip: Ip;
  readonly prefix: number;
}

/** The network of `prefix` bits that holds `ip`. Throws RangeError where the family has no such prefix. */
export function cidrOf(ip: Ip, prefix: number): Cidr {
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > widthOf(ip.family)) {
    throw new RangeError(`an IPv${ip.family} prefix has 0 to ${widthOf(ip.family)} bits, not ${prefix}`);
  }
  return { family: ip.family, ip: networkOf(ip, prefix), prefix };
}

/** Reads `10.128.1.7/23` as the network 10.128.0.0/23; undefined where it is not address/prefix. */
export function parseCidr(text: string): Cidr | undefined {
  const parsed = parseInterfaceCidr(text);
  return parsed && cidrOf(parsed.ip, parsed.prefix);
}

/** Reads address and prefix length and keeps the host bits; undefined where it is not address/prefix. */
export function parseInterfaceCidr(text: string): InterfaceAddress | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (!ip || !/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > widthOf(ip.family)) return undefined;
  return { ip, prefix: Number(digits) };
}

export function formatCidr(cidr: Cidr): string {
  return formatInterface(cidr.ip, cidr.prefix);
}

/** Writes an address with the prefix length of its subnet, e.g. `10.128.0.1/23`. */
export function formatInterface(ip: Ip, prefix: number): string {
  return `${formatIp(ip)}/${prefix}`;
}

/** Whether `ip` is in the network. An address of the other family never is. */
export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  return cidr.family === ip.family && networkOf(ip, cidr.prefix).value === cidr.ip.value;
}

/** Whether two networks share an address. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.prefix <= b.prefix ? cidrContains(a, b.ip) : cidrContains(b, a.ip);
}

/** The number of addresses in the network, the first and the last one included. */
export function sizeOf(cidr: Cidr): bigint {
  return 1n << BigInt(widthOf(cidr.family) - cidr.prefix);
}

/** The network's n-th address; 0 is the network address. Throws RangeError where there is none. */
export function hostAt(cidr: Cidr, n: number | bigint): Ip {
  if (n < 0 || n >= sizeOf(cidr)) throw new RangeError(`${formatCidr(cidr)} has no address number ${n}`);
  return cidr.ip.family === 4
    ? { family: 4, value: cidr.ip.value + Number(n) }
    : { family: 6, value: cidr.ip.value + BigInt(n) };
}

/** The network's last address; for IPv4 the broadcast address. */
export function lastOf(cidr: Cidr): Ip {
  return hostAt(cidr, sizeOf(cidr) - 1n);
}

function widthOf(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function networkOf(ip: Ip, prefix: number): Ip {
  if (ip.family === 4) {
    // Not by shifts: those know 32 bits with a sign, and no shift by 32.
    return { family: 4, value: ip.value - (ip.value % 2 ** (32 - prefix)) };
  }
  const hostBits = BigInt(128 - prefix);
  return { family: 6, value: (ip.value >> hostBits) << hostBits };
}
