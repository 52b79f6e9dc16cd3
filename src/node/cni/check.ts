import { access } from 'node:fs/promises';
import { CNI_CODES, type CniCheckRequest, CniError, type CniPod } from '../../contracts/cni.ts';
import { podPort } from '../../contracts/names.ts';
import { type Database, entryOf, textOf, until } from '../database.ts';
import type { PodInstances } from '../kubernetes/node-pods.ts';
import { type PodPort, podPorts } from '../ovs/pod-ports.ts';
import type { OwnNode } from '../own-node.ts';
import { chassisRow, type PortBindings } from '../southbound.ts';
import { type Link, type Route, readLinks, readRoutes } from '../system/links.ts';
import type { Run } from '../system/run.ts';
import { hostInterfaceName, inNamespace } from '../system/veth.ts';
import { type Expected, expectedOf } from './expected.ts';

export interface CheckContext {
  readonly self: OwnNode;
  readonly ovs: Database;
  readonly bindings: PortBindings;
  readonly pods: PodInstances | undefined;
  readonly run: Run;
  /** How long OVN may take to show again what it showed before; milliseconds. */
  readonly convergeMs: number;
}

/**
 * CHECK: compares the pod's interface, its port in Open vSwitch, and its port in OVN with what ADD left. Rejects with
 * {@link CniError}: 100 that names what differs, 11 where a database is away and cannot be asked.
 */
export async function check(
  context: CheckContext,
  request: CniCheckRequest,
  signal: AbortSignal,
): Promise<void> {
  const expected = expectedOf(request);
  await access(request.netns).catch(() => {
    throw new CniError(CNI_CODES.invalidEnvironment, `CNI_NETNS: there is no ${request.netns}`);
  });
  const inKernel = await kernelDifferences(context.run, request, expected);
  if (inKernel.length > 0) throw differs(request, [...inKernel, ...portDifferences(context, request)]);
  const { ovs, bindings, pods, convergeMs } = context;
  let last: readonly string[] = [];
  const probe = () => {
    requireConnected(context);
    last = portDifferences(context, request);
    return last.length === 0 ? true : undefined;
  };
  const late = () => differs(request, last);
  await until([ovs, bindings.database, ...(pods ? [pods] : [])], probe, { ms: convergeMs, signal, late });
}

function differs({ sandbox, interfaceName }: CniCheckRequest, differences: readonly string[]): CniError {
  const [first = '', ...more] = differences;
  return new CniError(
    CNI_CODES.notAsAdded,
    `${interfaceName} of ${sandbox} is not as ADD left it: ${first}`,
    more.join('; '),
  );
}

function requireConnected({ ovs, bindings }: CheckContext): void {
  if (!ovs.connected) {
    throw new CniError(CNI_CODES.tryAgainLater, 'the local Open vSwitch database is not reachable');
  }
  if (!bindings.database.connected) {
    throw new CniError(CNI_CODES.tryAgainLater, 'the southbound database is not reachable');
  }
}

async function kernelDifferences(
  run: Run,
  { sandbox, interfaceName, netns }: CniCheckRequest,
  expected: Expected,
): Promise<readonly string[]> {
  const inside = (...command: readonly string[]) => run(inNamespace(netns, 'ip', '-json', ...command));
  const [addresses, routes4, routes6, hostLinks] = await Promise.all([
    inside('address', 'show'),
    inside('route', 'show'),
    inside('-6', 'route', 'show'),
    run(['ip', '-json', 'link', 'show', 'type', 'veth']),
  ]);
  const find = (links: readonly Link[], name: string) => links.find(link => link.name === name);
  const hostName = hostInterfaceName(sandbox, interfaceName);
  return [
    ...insideDifferences(
      interfaceName,
      expected,
      find(readLinks(addresses), interfaceName),
      find(readLinks(hostLinks), hostName)?.mtu,
    ),
    ...routeDifferences(expected.routes, [...readRoutes(routes4, 4), ...readRoutes(routes6, 6)]),
    ...hostDifferences(hostName, find(readLinks(hostLinks), hostName)),
  ];
}

function insideDifferences(
  name: string,
  expected: Expected,
  link: Link | undefined,
  hostMtu: number | undefined,
): readonly string[] {
  if (!link) return [`the pod has no interface ${name}`];
  const differences: string[] = [];
  if (!link.up) differences.push(`${name} is down`);
  if (expected.mac !== undefined && link.mac !== expected.mac) {
    differences.push(`${name} has the MAC ${link.mac}, not ${expected.mac}`);
  }
  // Results before 1.1.0 do not tell the MTU; then both ends must have the same.
  const mtu = expected.mtu ?? hostMtu ?? link.mtu;
  if (link.mtu !== mtu) differences.push(`${name} has the MTU ${link.mtu}, not ${mtu}`);
  for (const address of expected.addresses) {
    if (!link.addresses.includes(address)) differences.push(`${name} lacks the address ${address}`);
  }
  return differences;
}

function routeDifferences(expected: readonly Route[], actual: readonly Route[]): readonly string[] {
  const isThere = ({ to, via }: Route) =>
    actual.some(route => route.to === to && (via === '' || route.via === via));
  return expected
    .filter(route => !isThere(route))
    .map(({ to, via }) => `the pod lacks the route to ${to}${via === '' ? '' : ` via ${via}`}`);
}

function hostDifferences(name: string, link: Link | undefined): readonly string[] {
  if (!link) return [`the node has no interface ${name}`];
  return link.up ? [] : [`${name} on the node is down`];
}

/** What differs in Open vSwitch and in OVN. */
function portDifferences(context: CheckContext, request: CniCheckRequest): readonly string[] {
  const { sandbox, interfaceName, pod } = request;
  const port = podPorts(context.ovs).find(
    candidate => candidate.sandbox === sandbox && candidate.interfaceName === interfaceName,
  );
  if (!port) return [`br-int has no port ${hostInterfaceName(sandbox, interfaceName)}`];
  const ifaceId = entryOf(port.interface, 'external_ids', 'iface-id') ?? '';
  if (pod && ifaceId !== podPort(pod.namespace, pod.name)) {
    return [`${port.name} has the iface-id ${ifaceId}, not ${podPort(pod.namespace, pod.name)}`];
  }
  const problem = textOf(port.interface, 'error');
  return [
    ...(problem ? [`${port.name}: ovs-vswitchd: ${problem}`] : []),
    ...instanceDifferences(context.pods, pod, port),
    ...bindingDifferences(context, ifaceId, port),
  ];
}

/** The uid of the runtime is another than that of the API for static pods, so that only Kubernetes can compare them. */
function instanceDifferences(
  pods: PodInstances | undefined,
  pod: CniPod | undefined,
  { name, uid }: PodPort,
): readonly string[] {
  if (!pod) return [];
  const actual = pods ? pods.uidOf(pod) : (pod.uid ?? uid);
  if (actual === uid) return [];
  const meant = actual ?? `${pod.uid ?? 'any'}, which the API server does not have`;
  return [`${name} belongs to the uid ${uid}, and the pod is ${meant}`];
}

function bindingDifferences(
  { bindings, self }: CheckContext,
  ifaceId: string,
  port: PodPort,
): readonly string[] {
  const binding = bindings.get(ifaceId);
  if (!binding) return [`the southbound database has no port ${ifaceId}`];
  const ids = (key: string) => entryOf(port.interface, 'external_ids', key) ?? '';
  const differences: string[] = [];
  const uid = binding.version ?? '';
  if (uid !== port.uid) differences.push(`port ${ifaceId} belongs to the uid ${uid}, not ${port.uid}`);
  const addressOf = (text: string) => text.split('/')[0];
  const attached = ids('ip_addresses').split(',').map(addressOf).join(' ');
  if (binding.mac !== ids('attached_mac') || binding.addresses.join(' ') !== attached) {
    const now = [binding.mac, ...binding.addresses].join(' ');
    differences.push(`port ${ifaceId} has the addresses ${now}, not ${ids('attached_mac')} ${attached}`);
  }
  const own = chassisRow(bindings.database, self.chassisId)?.uuid;
  if (own === undefined || binding.claimedBy !== own) {
    differences.push(`port ${ifaceId} is not bound to the chassis ${self.chassisId}`);
  }
  if (ids('ovn-installed') !== 'true') {
    differences.push(`ovn-controller has not installed the flows of ${ifaceId}`);
  }
  return differences;
}
