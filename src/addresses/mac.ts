import { createHash } from 'node:crypto';
import { formatIp, type Ip } from './ip.ts';

/**
 * The MAC that belongs to an address, as OVN-Kubernetes derives it: `0a:58:` and the four bytes of an IPv4 address, or
 * the first four bytes of the SHA-256 of an IPv6 address' text.
 */
export function macOf(ip: Ip): string {
  const bytes =
    ip.family === 4
      ? [ip.value >>> 24, (ip.value >>> 16) & 255, (ip.value >>> 8) & 255, ip.value & 255]
      : [...createHash('sha256').update(formatIp(ip)).digest().subarray(0, 4)];
  return `0a:58:${formatMac(bytes)}`;
}

/** Reads a unicast MAC of six colon-separated bytes and writes it in lower case; undefined for anything else. */
export function parseMac(text: string): string | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  const bytes = bytesOf(text);
  const isMulticast = ((bytes[0] ?? 0) & 1) === 1;
  return isMulticast || bytes.every(byte => byte === 0) ? undefined : formatMac(bytes);
}

/** The IPv6 link-local address that the kernel makes of a MAC (modified EUI-64: RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const [first = 0, second = 0, third = 0, ...last] = bytesOf(mac);
  let id = 0n;
  for (const byte of [first ^ 2, second, third, 0xff, 0xfe, ...last]) id = (id << 8n) | BigInt(byte);
  return formatIp({ family: 6, value: (0xfe80n << 112n) | id });
}

function bytesOf(mac: string): readonly number[] {
  return mac.split(':').map(byte => Number.parseInt(byte, 16));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function formatMac(bytes: readonly number[]): string {
  let text = '';
  for (const byte of bytes) text += text === '' ? HEX[byte] : `:${HEX[byte]}`;
  return text;
}
