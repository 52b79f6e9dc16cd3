/** Annotations that OVN-Kubernetes defined and that we read or write. Values are JSON unless one says otherwise. */
import { digestOf } from './digest.ts';

/** On a Node: `{"default": ["10.128.0.0/23", "fd01::/64"]}`; the older form is one string. */
export const NODE_SUBNETS = 'k8s.ovn.org/node-subnets';

/** On a Node: its number in the cluster, plain text: 2 or more. */
export const NODE_ID = 'k8s.ovn.org/node-id';

/** On a Node: the OVS `system-id` of its chassis, plain text. */
export const NODE_CHASSIS_ID = 'k8s.ovn.org/node-chassis-id';

/** On a Pod: `{"default": {"ip_addresses": ["10.128.0.5/23"], "mac_address": "0a:58:…", …}}`. */
export const POD_NETWORKS = 'k8s.ovn.org/pod-networks';

/** What {@link POD_NETWORKS} says of the default network. Addresses carry the prefix length of their subnet. */
export interface PodNetwork {
  readonly addresses: readonly string[];
  readonly mac: string | undefined;
}

/** What we write into {@link POD_NETWORKS}, with OVN-Kubernetes' field names. */
export interface WrittenPodNetwork {
  readonly ip_addresses: readonly string[];
  readonly mac_address: string;
  readonly gateway_ips: readonly string[];
  readonly routes?: readonly { readonly dest: string; readonly nextHop: string }[];
  /** For readers of the older form: where there is a single address. */
  readonly ip_address?: string;
  readonly gateway_ip?: string;
  readonly role: 'primary';
}

/** What an annotation with one entry for each network holds now, as far as a writer of the entry "default" must know. */
export interface ShownNetworks {
  /** Tells one "default" from another: {@link digestOf} its JSON. */
  readonly digest: number;
  /** The other networks' entries as JSON; undefined where there are none. */
  readonly others: string | undefined;
}

/** A value of one of our annotations that does not say what it must. */
class AnnotationError extends Error {
  override readonly name = 'AnnotationError';
}

/**
 * Reads {@link NODE_SUBNETS}; undefined where it tells of other networks only. Throws {@link AnnotationError} where the
 * value is not JSON or names no subnet of the default network. The subnets themselves are not checked here.
 */
export function parseNodeSubnets(value: string): readonly string[] | undefined {
  const subnets = defaultNetwork(NODE_SUBNETS, value);
  if (subnets === undefined) return undefined;
  const list = typeof subnets === 'string' ? [subnets] : subnets;
  if (!isStringList(list) || list.length === 0) {
    throw new AnnotationError(`${NODE_SUBNETS}: "default" must be a list of subnets, e.g. ["10.128.0.0/23"]`);
  }
  return list;
}

/** Reads {@link NODE_ID}. Throws {@link AnnotationError} where it is no number. */
export function parseNodeId(value: string): number {
  if (/^(0|[1-9]\d{0,14})$/.test(value)) return Number(value);
  throw new AnnotationError(`${NODE_ID}: ${JSON.stringify(value)} is not a number such as 2; remove it`);
}

/**
 * Reads {@link POD_NETWORKS}; undefined where it tells of other networks only. Throws {@link AnnotationError} where it
 * names no address of the default network.
 */
export function parsePodNetworks(value: string): PodNetwork | undefined {
  const network = defaultNetwork(POD_NETWORKS, value);
  if (network === undefined) return undefined;
  if (!isRecord(network)) throw new AnnotationError(`${POD_NETWORKS}: "default" must be an object`);
  const { ip_addresses: many, ip_address: one, mac_address: mac } = network;
  const addresses = many ?? (typeof one === 'string' ? [one] : undefined);
  if (!isStringList(addresses) || addresses.length === 0) {
    throw new AnnotationError(`${POD_NETWORKS}: "ip_addresses" must be a list, e.g. ["10.128.0.5/23"]`);
  }
  if (mac !== undefined && typeof mac !== 'string') {
    throw new AnnotationError(`${POD_NETWORKS}: "mac_address" must be text, e.g. "0a:58:0a:80:00:05"`);
  }
  return { addresses, mac };
}

/** What an annotation of networks shows; nothing where it has no "default". Never throws. */
export function shownNetworks(value: string | undefined): ShownNetworks | undefined {
  const networks = value === undefined ? undefined : parseJson(value);
  if (!isRecord(networks)) return undefined;
  const { default: own, ...others } = networks;
  return {
    digest: own === undefined ? NOTHING : digestOf(JSON.stringify(own)),
    others: Object.keys(others).length === 0 ? undefined : JSON.stringify(others),
  };
}

/** Whether the annotation shows this entry for "default" already. */
export function showsNetwork(shown: ShownNetworks | undefined, own: unknown): boolean {
  return shown?.digest === digestOf(JSON.stringify(own));
}

/** The annotation's new value: our own entry first, then those of other networks as they were. */
export function withDefaultNetwork(others: string | undefined, own: unknown): string {
  const rest: unknown = others === undefined ? {} : parseJson(others);
  return JSON.stringify({ default: own, ...(isRecord(rest) ? rest : {}) });
}

/** No digest: the annotation has no entry "default". */
const NOTHING = -1;

function defaultNetwork(annotation: string, value: string): unknown {
  const parsed = parseJson(value);
  if (parsed === undefined) throw new AnnotationError(`${annotation}: not JSON`);
  if (!isRecord(parsed)) throw new AnnotationError(`${annotation}: must be an object by networks' names`);
  return parsed.default;
}

/** The value of a JSON text; undefined where it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}
