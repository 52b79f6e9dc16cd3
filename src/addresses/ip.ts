/** An IP address. IPv4 values are unsigned 32-bit numbers, IPv6 values unsigned 128-bit integers. */
export type Ip = Ipv4 | Ipv6;

export interface Ipv4 {
  readonly family: 4;
  readonly value: number;
}

export interface Ipv6 {
  readonly family: 6;
  readonly value: bigint;
}

/**
 * Reads an address, or gives undefined. IPv4 is four decimal numbers without leading zeros; IPv6 is what RFC 4291, 2.2
 * allows, without a zone. An IPv4-mapped IPv6 address stays IPv6.
 */
export function parseIp(text: string): Ip | undefined {
  if (text.includes(':')) {
    const value = parseIpv6(text);
    return value === undefined ? undefined : { family: 6, value };
  }
  const value = parseIpv4(text);
  return value === undefined ? undefined : { family: 4, value };
}

/** Writes an address: IPv4 dotted, IPv6 by RFC 5952 (IPv4-mapped ones in mixed form, section 5). */
export function formatIp(ip: Ip): string {
  return ip.family === 4 ? formatIpv4(ip.value) : formatIpv6(ip.value);
}

/** Orders addresses: IPv4 before IPv6, then by value. Zero means equal. */
export function compareIps(a: Ip, b: Ip): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.value === b.value) return 0;
  return a.value < b.value ? -1 : 1;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const DOT = 0x2e;

/** One pass over the characters: this runs for every address of every pod of a cluster. */
function parseIpv4(text: string): number | undefined {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === DOT) {
      if (octet < 0) return undefined;
      value = value * 256 + octet;
      octet = -1;
      dots++;
    } else {
      if (char < DIGIT_0 || char > DIGIT_9 || octet === 0) return undefined;
      octet = Math.max(octet, 0) * 10 + (char - DIGIT_0);
      if (octet > 255) return undefined;
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : undefined;
}

function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function parseIpv6(text: string): bigint | undefined {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = parseGroups(text, true);
    return groups?.length === 8 ? joinGroups(groups) : undefined;
  }
  const tailText = text.slice(gap + 2);
  const head = gap === 0 ? [] : parseGroups(text.slice(0, gap), false);
  const tail = tailText === '' ? [] : parseGroups(tailText, true);
  if (!head || !tail || head.length + tail.length > 7) return undefined;
  const zeros = new Array<number>(8 - head.length - tail.length).fill(0);
  return joinGroups([...head, ...zeros, ...tail]);
}

const GROUP = /^[0-9a-fA-F]{1,4}$/;

/** Groups of 16 bits; the last one may be a dotted quad, which makes two, where `mayEndInIpv4`. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (mayEndInIpv4 && i === parts.length - 1 && part.includes('.')) {
      const quad = parseIpv4(part);
      if (quad === undefined) return undefined;
      groups.push(quad >>> 16, quad & 0xffff);
    } else {
      if (!GROUP.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function joinGroups(groups: readonly number[]): bigint {
  const word = (at: number) => BigInt((groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0));
  return (((((word(0) << 32n) | word(2)) << 32n) | word(4)) << 32n) | word(6);
}

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
const MAPPED = 0xffffn;

function formatIpv6(value: bigint): string {
  if (value >> 32n === MAPPED) return `::ffff:${formatIpv4(Number(value & 0xffffffffn))}`;
  const groups: number[] = [];
  for (let shift = 96n; shift >= 0n; shift -= 32n) {
    const word = Number((value >> shift) & 0xffffffffn);
    groups.push(word >>> 16, word & 0xffff);
  }
  const gap = longestZeroRun(groups);
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map(group => group.toString(16))
      .join(':');
  return gap.length < 2 ? hex(0, 8) : `${hex(0, gap.start)}::${hex(gap.start + gap.length, 8)}`;
}

/** The longest run of zero groups, the leftmost of equals (RFC 5952, 4.2.3). */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  }
  return best;
}
