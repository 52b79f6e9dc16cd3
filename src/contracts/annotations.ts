/** Annotations that OVN-Kubernetes defined and that we read. Values are JSON unless one says otherwise. */

/** On a Node: `{"default": ["10.128.0.0/23", "fd01::/64"]}`; the older form is one string. */
export const NODE_SUBNETS = 'k8s.ovn.org/node-subnets';

/** On a Node: the OVS `system-id` of its chassis, plain text. */
export const NODE_CHASSIS_ID = 'k8s.ovn.org/node-chassis-id';

/** On a Pod: `{"default": {"ip_addresses": ["10.128.0.5/23"], "mac_address": "0a:58:…", …}}`. */
export const POD_NETWORKS = 'k8s.ovn.org/pod-networks';

/** What {@link POD_NETWORKS} says of the default network. Addresses carry the prefix length of their subnet. */
export interface PodNetwork {
  readonly addresses: readonly string[];
  readonly mac: string | undefined;
}

/** A value of one of our annotations that does not say what it must. */
class AnnotationError extends Error {
  override readonly name = 'AnnotationError';
}

/**
 * Reads {@link NODE_SUBNETS}. Throws {@link AnnotationError} where the value is not JSON or names no subnet of the
 * default network. The subnets themselves are not checked here.
 */
export function parseNodeSubnets(value: string): readonly string[] {
  const subnets = defaultNetwork(NODE_SUBNETS, value);
  const list = typeof subnets === 'string' ? [subnets] : subnets;
  if (!isStringList(list) || list.length === 0) {
    throw new AnnotationError(`${NODE_SUBNETS}: "default" must be a list of subnets, e.g. ["10.128.0.0/23"]`);
  }
  return list;
}

/** Reads {@link POD_NETWORKS}. Throws {@link AnnotationError} where it names no address of the default network. */
export function parsePodNetworks(value: string): PodNetwork {
  const network = defaultNetwork(POD_NETWORKS, value);
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

function defaultNetwork(annotation: string, value: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch (cause) {
    throw new AnnotationError(`${annotation}: not JSON`, { cause });
  }
  if (!isRecord(parsed) || parsed.default === undefined) {
    throw new AnnotationError(`${annotation}: lacks the network "default"`);
  }
  return parsed.default;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}
