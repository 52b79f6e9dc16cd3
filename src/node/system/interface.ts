/** An interface of the node as it is to be, or as the kernel has it. Texts as ip(8) prints them. */
export interface InterfaceState {
  readonly up: boolean;
  /** Addresses with prefix length, link-local ones left out. */
  readonly addresses: readonly string[];
  /** Routes through the interface that carry our mark, by destination. */
  readonly routes: readonly { readonly to: string; readonly via: string }[];
}

/** Marks the routes that we own (rtnetlink(7), rtm_protocol; a number that no routing daemon has registered). */
export const ROUTE_PROTOCOL = 107;

/**
 * Lines for `ip -batch` that bring an interface from `actual` to `wanted`; '' where nothing differs. Addresses come
 * before the routes through their gateways, and what nobody wants goes first.
 */
export function interfaceChanges(name: string, wanted: InterfaceState, actual: InterfaceState): string {
  const wantedRoutes = new Set(wanted.routes.map(routeText));
  const goneAddresses = actual.addresses.filter(address => !wanted.addresses.includes(address));
  const newAddresses = wanted.addresses.filter(address => !actual.addresses.includes(address));
  // Losing an address or the link makes the kernel drop routes as well: then every route is given again.
  const disturbed = goneAddresses.length > 0 || newAddresses.length > 0 || !actual.up;
  const kept = new Set(disturbed ? [] : actual.routes.map(routeText));
  const commands = [
    ...actual.routes
      .filter(route => !wantedRoutes.has(routeText(route)))
      .map(route => `route del ${routeText(route)} dev ${name} proto ${ROUTE_PROTOCOL}`),
    ...goneAddresses.map(address => `addr del ${address} dev ${name}`),
    ...newAddresses.map(address => `addr add ${address} dev ${name}${isV6(address) ? ' nodad' : ''}`),
    ...(wanted.up && !actual.up ? [`link set dev ${name} up`] : []),
    ...wanted.routes
      .filter(route => !kept.has(routeText(route)))
      .map(route => `route replace ${routeText(route)} dev ${name} proto ${ROUTE_PROTOCOL}`),
  ];
  return commands.map(command => `${command}\n`).join('');
}

/** Reads `ip -json address show dev X` and `ip -json [-6] route show dev X proto 107`. Throws where they are empty. */
export function readInterfaceState(addressJson: string, routeJsons: readonly string[]): InterfaceState {
  const [link] = parseList(addressJson).filter(entry => typeof entry.ifname === 'string');
  if (!link) throw new Error('ip -json address show: no interface in its output');
  const addresses = asList(link.addr_info).flatMap(({ scope, local, prefixlen }) =>
    scope === 'link' ? [] : [`${local}/${prefixlen}`],
  );
  const routes = routeJsons
    .flatMap(parseList)
    .map(({ dst, gateway }) => ({ to: String(dst), via: String(gateway ?? '') }));
  return { up: Array.isArray(link.flags) && link.flags.includes('UP'), addresses, routes };
}

type Entry = Readonly<Record<string, unknown>>;

function parseList(json: string): readonly Entry[] {
  // ip prints nothing at all where it has nothing to tell.
  return json.trim() === '' ? [] : asList(JSON.parse(json));
}

function asList(value: unknown): readonly Entry[] {
  return Array.isArray(value) ? (value as readonly Entry[]) : [];
}

function routeText({ to, via }: { readonly to: string; readonly via: string }): string {
  return via === '' ? to : `${to} via ${via}`;
}

function isV6(text: string): boolean {
  return text.includes(':');
}
