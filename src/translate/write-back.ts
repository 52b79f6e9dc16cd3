import {
  type Cidr,
  cidrContains,
  formatCidr,
  formatInterface,
  formatIp,
  gatewayOf,
  type Ip,
  macOf,
} from '../addresses/index.ts';
import type { NodeIdResult, NodeResult, PodResult } from '../allocate/index.ts';
import { type NodeFact, type PodFact, wantsPort } from '../cluster/facts/index.ts';
import {
  NODE_ID,
  NODE_SUBNETS,
  POD_NETWORKS,
  showsNetwork,
  type WrittenPodNetwork,
  withDefaultNetwork,
} from '../contracts/annotations.ts';

/** What of an object's annotations is not as it should be: their new values. */
export interface AnnotationWish {
  /** `metadata.uid`: the wish is of this very object, not of a successor of the same name. */
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The record of a Node's subnets and id; undefined where it shows them already, or has none. */
export function nodeAnnotations(
  { uid, shown }: NodeFact,
  subnets: NodeResult | undefined,
  id: NodeIdResult | undefined,
): AnnotationWish | undefined {
  const annotations: Record<string, string> = {};
  const texts = subnets?.subnets.map(formatCidr) ?? [];
  if (texts.length > 0 && !showsNetwork(shown.subnets, texts))
    annotations[NODE_SUBNETS] = withDefaultNetwork(shown.subnets?.others, texts);
  if (id?.id !== undefined && shown.id !== String(id.id)) annotations[NODE_ID] = String(id.id);
  return wish(uid, annotations);
}

/**
 * The record of a Pod's addresses; undefined where it shows them already, or is to have none. `nodeSubnets` are those of
 * its node, `clusterSubnets` the networks that it reaches by way of the cluster router.
 */
export function podAnnotations(
  pod: PodFact,
  addresses: PodResult | undefined,
  nodeSubnets: readonly Cidr[],
  clusterSubnets: readonly Cidr[],
): AnnotationWish | undefined {
  if (!wantsPort(pod) || pod.node === undefined || !addresses) return undefined;
  const network = podNetwork(addresses, nodeSubnets, clusterSubnets);
  if (!network || showsNetwork(pod.shown, network)) return undefined;
  const value = withDefaultNetwork(pod.shown?.others, network);
  return wish(pod.uid, { [POD_NETWORKS]: value });
}

function wish(uid: string, annotations: Readonly<Record<string, string>>): AnnotationWish | undefined {
  return uid === '' || Object.keys(annotations).length === 0 ? undefined : { uid, annotations };
}

/**
 * The pod's attachment as OVN-Kubernetes writes it. Of its routes those to the cluster's pods are there; the ones to
 * Services and to the join subnets come with what they lead to.
 */
function podNetwork(
  { ips, mac }: PodResult,
  nodeSubnets: readonly Cidr[],
  clusterSubnets: readonly Cidr[],
): WrittenPodNetwork | undefined {
  const [first] = ips;
  const attached = ips.flatMap(ip => {
    const subnet = nodeSubnets.find(candidate => cidrContains(candidate, ip));
    return subnet ? [{ ip, subnet, gateway: gatewayOf(subnet) }] : [];
  });
  if (!first || attached.length < ips.length) return undefined;
  const addresses = attached.map(({ ip, subnet }) => formatInterface(ip, subnet.prefix));
  const gateways = attached.map(({ gateway }) => formatIp(gateway));
  const [address = '', ...moreAddresses] = addresses;
  const [gateway = ''] = gateways;
  const routes = attached.flatMap(({ gateway: nextHop }) => routesBy(nextHop, clusterSubnets));
  return {
    ip_addresses: addresses,
    mac_address: mac ?? macOf(first),
    gateway_ips: gateways,
    ...(routes.length > 0 && { routes }),
    ...(moreAddresses.length === 0 && { ip_address: address, gateway_ip: gateway }),
    role: 'primary',
  };
}

function routesBy(gateway: Ip, subnets: readonly Cidr[]): readonly { dest: string; nextHop: string }[] {
  return subnets
    .filter(({ family }) => family === gateway.family)
    .map(subnet => ({ dest: formatCidr(subnet), nextHop: formatIp(gateway) }));
}
