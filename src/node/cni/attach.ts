import { access } from 'node:fs/promises';
import { CNI_CODES, type CniAddRequest, type CniDelRequest, CniError } from '../../contracts/cni.ts';
import { INTEGRATION_BRIDGE, podPort } from '../../contracts/names.ts';
import type { Row } from '../../ovsdb-client/index.ts';
import { commit, type Database, entryOf, findRow, settle, textOf, until } from '../database.ts';
import { addPort, isOfSandbox, isUserspaceDatapath, portsWhere, removePorts } from '../ovs/ports.ts';
import { type Addressing, type PortBindings, podAddressing } from '../southbound.ts';
import type { Run } from '../system/run.ts';
import {
  configurePodInterface,
  createVeth,
  hostInterfaceName,
  inNamespace,
  type PodInterface,
  podIpv6Settings,
  setIpv6,
} from '../system/veth.ts';
import type { Attachment } from './result.ts';

export interface AttachContext {
  /** The Node's name and its chassis' system-id. */
  readonly node: string;
  readonly chassisId: string;
  readonly mtu: number;
  readonly ovs: Database;
  readonly bindings: PortBindings;
  readonly run: Run;
  /** Told of what a failed ADD could not remove (the local OVS is away), to be detached later. */
  readonly abandoned: (request: SandboxInterface, reason: unknown) => void;
  /** How long the southbound may take to know the pod, and ovn-controller to install its flows; milliseconds. */
  readonly bindingMs: number;
  readonly installMs: number;
}

type SandboxInterface = Pick<CniDelRequest, 'sandbox' | 'interfaceName'>;

type PodAddressing = Addressing & { readonly uid: string };

/**
 * ADD: gives a pod its interface and waits until its traffic flows. Rejects with a {@link CniError}; then nothing of
 * the attempt is left, or `abandoned` was told of it.
 */
export async function attach(
  context: AttachContext,
  request: CniAddRequest,
  signal: AbortSignal,
): Promise<Attachment> {
  await access(request.netns).catch(() => {
    throw new CniError(CNI_CODES.invalidEnvironment, `CNI_NETNS: there is no ${request.netns}`);
  });
  const addressing = await addressingFor(context, request, signal);
  const pod: PodInterface = {
    hostName: hostInterfaceName(request.sandbox, request.interfaceName),
    podName: request.interfaceName,
    netns: request.netns,
    mac: addressing.mac,
    mtu: context.mtu,
    ips: addressing.ips,
  };
  await requireNameFree(context.run, request);
  // An earlier ADD may have left its port, if its agent was killed and the namespace made anew since.
  await detach(context, request);
  try {
    const hostMac = await makeInterface(context, pod);
    signal.throwIfAborted();
    await plugIn(context, request, pod, addressing.uid);
    await installed(context, request, addressing.uid, signal);
    signal.throwIfAborted();
    const { podName, netns, mac, hostName, mtu, ips } = pod;
    return {
      hostInterface: { name: hostName, mac: hostMac },
      podInterface: { name: podName, mac, netns },
      mtu,
      ips,
    };
  } catch (error) {
    await detach(context, request).catch(failure => context.abandoned(request, failure));
    throw error;
  }
}

/**
 * DEL: removes the port and the interface of this sandbox, and no other's. Nothing there is success. Rejects with
 * {@link CniError} 11 where the local OVS is not reachable; the interface is gone even then, and the pod cut off.
 */
export async function detach({ ovs, run }: AttachContext, request: SandboxInterface): Promise<void> {
  try {
    await unplug(ovs, request);
  } finally {
    await deleteLink(run, hostInterfaceName(request.sandbox, request.interfaceName));
  }
}

async function unplug(ovs: Database, { sandbox, interfaceName }: SandboxInterface): Promise<void> {
  requireConnected(ovs);
  const ours = () => portsWhere(ovs, row => isOfSandbox(row, sandbox, interfaceName)).map(({ port }) => port);
  await settle(ovs, () => {
    const ports = ours();
    return ports.length === 0 ? [] : removePorts(integrationBridge(ovs), ports);
  });
}

async function deleteLink(run: Run, name: string): Promise<void> {
  const exists = async () =>
    (await run(['ip', '-json', 'link', 'show', 'type', 'veth'])).includes(`"${name}"`);
  if (!(await exists())) return;
  // The kernel takes the pair away by itself, in the background, when the pod's namespace goes: it may be faster.
  await run(['ip', 'link', 'delete', 'dev', name]).catch(async error => {
    if (await exists()) throw error;
  });
}

/** An interface that is there already is not touched: the ADD must fail (CNI 1.1.0, section 2, "ADD"). */
async function requireNameFree(run: Run, { netns, interfaceName }: CniAddRequest): Promise<void> {
  const shown: unknown = JSON.parse((await run(inNamespace(netns, 'ip', '-json', 'link', 'show'))) || '[]');
  if (!(shown as readonly { readonly ifname?: string }[]).some(({ ifname }) => ifname === interfaceName))
    return;
  throw new CniError(
    CNI_CODES.invalidEnvironment,
    `CNI_IFNAME: ${netns} has an interface ${interfaceName} already`,
    'a DEL of the same CNI_CONTAINERID removes one that an earlier ADD made',
  );
}

/** Waits for the pod's addresses in the southbound. */
function addressingFor(
  { node, chassisId, bindings, bindingMs }: AttachContext,
  { pod }: CniAddRequest,
  signal: AbortSignal,
): Promise<PodAddressing> {
  let missing = '';
  const probe = () => {
    const lookup = podAddressing(bindings, node, chassisId, pod);
    if ('found' in lookup) return lookup.found;
    missing = bindings.database.connected ? lookup.missing : 'the southbound database is not reachable';
    return undefined;
  };
  const late = () =>
    new CniError(
      CNI_CODES.tryAgainLater,
      `no addresses for pod ${pod.namespace}/${pod.name} after ${bindingMs / 1000} s`,
      missing,
    );
  return until([bindings.database], probe, { ms: bindingMs, signal, late });
}

/** Makes the veth pair and sets the pod's end up. Gives the MAC of the host's end. */
async function makeInterface({ ovs, run }: AttachContext, pod: PodInterface): Promise<string> {
  const batch = ['ip', '-batch', '-'] as const;
  await run([...batch], createVeth(pod));
  await run(inNamespace(pod.netns, ...setIpv6(pod.podName, podIpv6Settings(pod))));
  await run(inNamespace(pod.netns, ...batch), configurePodInterface(pod));
  if (isUserspaceDatapath(integrationBridge(ovs))) {
    // The userspace datapath passes frames on as the pod's kernel left them: checksums must be complete.
    await run(inNamespace(pod.netns, 'ethtool', '-K', pod.podName, 'tx', 'off'));
  }
  const shown: unknown = JSON.parse(await run(['ip', '-json', 'link', 'show', 'dev', pod.hostName]));
  const [link] = shown as readonly { readonly address?: string }[];
  return link?.address ?? '';
}

/** Puts the host's end on br-int, in place of any port that an earlier instance of the pod left. */
async function plugIn(
  { ovs }: AttachContext,
  request: CniAddRequest,
  pod: PodInterface,
  uid: string,
): Promise<void> {
  requireConnected(ovs);
  const ifaceId = podPort(request.pod.namespace, request.pod.name);
  const stale = portsWhere(ovs, row => entryOf(row, 'external_ids', 'iface-id') === ifaceId);
  const externalIds = {
    attached_mac: pod.mac,
    'iface-id': ifaceId,
    'iface-id-ver': uid,
    ip_addresses: pod.ips.map(({ address }) => address).join(','),
    sandbox: request.sandbox,
    'pod-if-name': request.interfaceName,
  };
  const port = { name: pod.hostName, externalIds, transient: true };
  const stalePorts = stale.map(entry => entry.port);
  await commit(ovs, addPort(integrationBridge(ovs), port, stalePorts));
}

/** Waits until ovn-controller says that the flows of this very interface are installed. */
async function installed(
  { ovs, bindings, installMs }: AttachContext,
  { sandbox, interfaceName, pod }: CniAddRequest,
  uid: string,
  signal: AbortSignal,
): Promise<void> {
  const port = podPort(pod.namespace, pod.name);
  let seen: Row | undefined;
  const probe = () => {
    requireConnected(ovs);
    const binding = bindings.get(port);
    if (!binding || (binding.version ?? '') !== uid) {
      throw new CniError(CNI_CODES.tryAgainLater, `pod ${pod.namespace}/${pod.name} was deleted or replaced`);
    }
    const found = portsWhere(ovs, row => isOfSandbox(row, sandbox, interfaceName))[0]?.interface;
    if (seen && !found)
      throw new CniError(CNI_CODES.tryAgainLater, `the port of ${port} was removed from br-int`);
    seen = found;
    const ready = found && entryOf(found, 'external_ids', 'ovn-installed') === 'true';
    return ready && entryOf(found, 'external_ids', 'iface-id-ver') === uid ? true : undefined;
  };
  const late = () => {
    const problem = seen && textOf(seen, 'error');
    const details = problem
      ? `ovs-vswitchd: ${problem}`
      : 'is ovn-controller running, and its southbound reachable?';
    return new CniError(
      CNI_CODES.tryAgainLater,
      `OVN did not install the flows of ${port} in ${installMs / 1000} s`,
      details,
    );
  };
  await until([ovs, bindings.database], probe, { ms: installMs, signal, late });
}

function integrationBridge(ovs: Database): Row {
  const bridge = findRow(ovs, 'Bridge', 'name', INTEGRATION_BRIDGE);
  if (!bridge) throw new CniError(CNI_CODES.tryAgainLater, `there is no ${INTEGRATION_BRIDGE} yet`);
  return bridge;
}

function requireConnected(ovs: Database): void {
  if (!ovs.connected)
    throw new CniError(CNI_CODES.tryAgainLater, 'the local Open vSwitch database is not reachable');
}
