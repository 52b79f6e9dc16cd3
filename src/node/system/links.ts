/** Interfaces and routes as `ip -json` prints them. */

/** An interface. Texts as ip(8) prints them. */
export interface Link {
  readonly name: string;
  readonly up: boolean;
  readonly mac: string;
  readonly mtu: number;
  /** With prefix length; none where the command does not print addresses. */
  readonly addresses: readonly string[];
}

/** A route; `to` is a subnet, `0.0.0.0/0` or `::/0` for the default. */
export interface Route {
  readonly to: string;
  readonly via: string;
}

/** Reads `ip -json address show` or `ip -json link show`. */
export function readLinks(json: string): readonly Link[] {
  return parseList(json).flatMap(({ ifname, flags, address, mtu, addr_info }) => {
    if (typeof ifname !== 'string') return [];
    return [
      {
        name: ifname,
        up: Array.isArray(flags) && flags.includes('UP'),
        mac: String(address ?? ''),
        mtu: Number(mtu ?? 0),
        addresses: asList(addr_info).map(({ local, prefixlen }) => `${local}/${prefixlen}`),
      },
    ];
  });
}

/** Reads `ip -json route show` (family 4) or `ip -json -6 route show` (6). */
export function readRoutes(json: string, family: 4 | 6): readonly Route[] {
  return parseList(json).map(({ dst, gateway }) => ({
    to: destination(String(dst), family),
    via: String(gateway ?? ''),
  }));
}

/** ip(8) writes `default`, and leaves the prefix length of a single address out. */
function destination(dst: string, family: 4 | 6): string {
  if (dst === 'default') return family === 4 ? '0.0.0.0/0' : '::/0';
  return dst.includes('/') ? dst : `${dst}/${family === 4 ? 32 : 128}`;
}

type Entry = Readonly<Record<string, unknown>>;

function parseList(json: string): readonly Entry[] {
  // ip prints nothing at all where it has nothing to tell.
  return json.trim() === '' ? [] : asList(JSON.parse(json));
}

function asList(value: unknown): readonly Entry[] {
  return Array.isArray(value) ? (value as readonly Entry[]) : [];
}
