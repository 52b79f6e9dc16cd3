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

/** What tells one address from another in a Map or a Set. */
export type IpKey = number | string;

/**
 * An address as a key. Not the value itself: V8 hashes a bigint by its low 64 bits, which all networks of IPv6 share, so
 * that a lookup would cost a step for each of them.
 */
export function ipKey(ip: Ip): IpKey {
  return ip.family === 4 ? ip.value : ip.value.toString(16);
}

/** The address of a key. */
export function ipOfKey(key: IpKey): Ip {
  return typeof key === 'number' ? { family: 4, value: key } : { family: 6, value: BigInt(`0x${key}`) };
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
const COLON = 0x3a;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
/** The bit that tells lower from upper case in ASCII. */
const LOWER_CASE = 0x20;

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

/** One pass as well; `groups` are the 16-bit groups so far, `gap` how many of them stand before the `::`. */
function parseIpv6(text: string): bigint | undefined {
  if (text.startsWith(':') && !text.startsWith('::')) return undefined;
  const groups = [0, 0, 0, 0, 0, 0, 0, 0];
  let count = 0;
  let gap = text.startsWith('::') ? 0 : -1;
  let at = gap === 0 ? 2 : 0;
  while (at < text.length) {
    const colon = text.indexOf(':', at);
    const end = colon < 0 ? text.length : colon;
    const quad = colon < 0 && count <= 6 && text.includes('.', at) ? parseIpv4(text.slice(at)) : undefined;
    const group = quad === undefined ? parseGroup(text, at, end) : quad >>> 16;
    if (group === undefined || count === 8) return undefined;
    groups[count++] = group;
    if (quad !== undefined) groups[count++] = quad & 0xffff;
    if (colon < 0) break;
    at = colon + 1;
    if (at === text.length) return undefined;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return undefined;
      gap = count;
      at++;
    }
  }
  if (gap < 0) return count === 8 ? joinGroups(groups) : undefined;
  if (count === 8) return undefined;
  groups.copyWithin(8 - (count - gap), gap, count).fill(0, gap, 8 - (count - gap));
  return joinGroups(groups);
}

/** One to four hexadecimal digits, of either case (RFC 4291, 2.2). */
function parseGroup(text: string, from: number, to: number): number | undefined {
  if (to === from || to - from > 4) return undefined;
  let group = 0;
  for (let i = from; i < to; i++) {
    const char = text.charCodeAt(i);
    const letter = char | LOWER_CASE;
    if (char >= DIGIT_0 && char <= DIGIT_9) group = group * 16 + (char - DIGIT_0);
    else if (letter >= LETTER_A && letter <= LETTER_F) group = group * 16 + (letter - LETTER_A + 10);
    else return undefined;
  }
  return group;
}

/** By way of 48 bits, which a number still holds exactly: arithmetic on bigint is what takes the time. */
function joinGroups(groups: readonly number[]): bigint {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const high = BigInt(a * 0x10000 + b);
  const middle = BigInt((c * 0x10000 + d) * 0x10000 + e);
  const low = BigInt((f * 0x10000 + g) * 0x10000 + h);
  return (((high << 48n) | middle) << 48n) | low;
}

/** The inverse of {@link joinGroups}. */
function splitGroups(value: bigint): readonly number[] {
  const high = Number(value >> 80n);
  const middle = Number((value >> 32n) & 0xffffffffffffn);
  const low = Number(value & 0xffffffffn);
  return [
    Math.floor(high / 0x100000000),
    (high >>> 16) & 0xffff,
    high & 0xffff,
    Math.floor(middle / 0x100000000),
    (middle >>> 16) & 0xffff,
    middle & 0xffff,
    low >>> 16,
    low & 0xffff,
  ];
}

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
const MAPPED = 0xffffn;

function formatIpv6(value: bigint): string {
  if (value >> 32n === MAPPED) return `::ffff:${formatIpv4(Number(value & 0xffffffffn))}`;
  const groups = splitGroups(value);
  const gap = longestZeroRun(groups);
  return gap.length < 2
    ? printGroups(groups, 0, 8)
    : `${printGroups(groups, 0, gap.start)}::${printGroups(groups, gap.start + gap.length, 8)}`;
}

function printGroups(groups: readonly number[], from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) text += (i === from ? '' : ':') + (groups[i] ?? 0).toString(16);
  return text;
}

/** The longest run of zero groups, the leftmost of equals (RFC 5952, 4.2.3). */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  const best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i < groups.length; i++) {
    if (groups[i] !== 0) {
      start = i + 1;
    } else if (i + 1 - start > best.length) {
      best.start = start;
      best.length = i + 1 - start;
    }
  }
  return best;
}
