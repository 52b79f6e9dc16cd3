import { access } from 'node:fs/promises';
import {
  CNI_CODES,
  type CniAddRequest,
  type CniAttachment,
  CniError,
  type CniPod,
} from '../../contracts/cni.ts';
import { podPort } from '../../contracts/names.ts';
import type { Row } from '../../ovsdb-client/index.ts';
import { commit, type Database, entryOf, textOf, until } from '../database.ts';
import { publish } from '../diagnostics.ts';
import type { PodInstances } from '../kubernetes/node-pods.ts';
import { NETWORK_KEY } from '../ovs/pod-ports.ts';
import { addPort, isOfSandbox, isUserspaceDatapath, portsWhere } from '../ovs/ports.ts';
import type { OwnNode } from '../own-node.ts';
import { type Addressing, type PortBindings, podAddressing } from '../southbound.ts';
import type { Run } from '../system/run.ts';
import {
  configurePodInterface,
  createVeth,
  hostInterfaceName,
  inNamespace,
  isHostInterfaceName,
  type PodInterface,
  podIpv6Settings,
  setIpv6,
} from '../system/veth.ts';
import { deleteLink, detach, integrationBridge, requireOvs } from './detach.ts';
import type { Attachment } from './result.ts';

export interface AttachContext {
  readonly self: OwnNode;
  readonly mtu: number;
  readonly ovs: Database;
  readonly bindings: PortBindings;
  /** Where Kubernetes knows them; else the southbound alone says which instance of a pod there is. */
  readonly pods: PodInstances | undefined;
  readonly run: Run;
  /** Told of what a failed ADD could not remove (the local OVS is away), to be detached later. */
  readonly abandoned: (request: CniAttachment, reason: unknown) => void;
  /** How long the pod may be unknown; milliseconds. */
  readonly unknownMs: number;
  /** How long a pod that Kubernetes knows may wait for its port in the southbound; milliseconds. */
  readonly bindingMs: number;
  /** How long ovn-controller may take to install its flows; milliseconds. */
  readonly installMs: number;
}

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
  const started = performance.now();
  const programmed = (stage: 'southbound' | 'chassis') =>
    publish({ kind: 'programmed', stage, seconds: (performance.now() - started) / 1000 });
  await access(request.netns).catch(() => {
    throw new CniError(CNI_CODES.invalidEnvironment, `CNI_NETNS: there is no ${request.netns}`);
  });
  const addressing = await addressingFor(context, request, signal);
  programmed('southbound');
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
    programmed('chassis');
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

/** Waits until the pod is known, and for its addresses in the southbound. */
async function addressingFor(
  context: AttachContext,
  { pod }: CniAddRequest,
  signal: AbortSignal,
): Promise<PodAddressing> {
  const { pods, unknownMs, bindingMs } = context;
  if (!pods) return addressingOf(context, pod, unknownMs, signal);
  const late = () =>
    new CniError(
      CNI_CODES.tryAgainLater,
      `pod ${nameOf(pod)} is not known after ${unknownMs / 1000} s`,
      pods.synced ? unknownTo(context, pod) : 'the pods of this node have not been listed yet',
    );
  const uid = await until([pods], () => pods.uidOf(pod), { ms: unknownMs, signal, late });
  return addressingOf(context, { ...pod, uid }, bindingMs, signal);
}

function unknownTo({ self }: AttachContext, pod: CniPod): string {
  const instance = pod.uid === undefined ? '' : ` with the uid ${pod.uid}`;
  return `the API server has no such pod${instance} on node ${self.name}`;
}

/** Waits for the pod's addresses in the southbound; where Kubernetes knows the pod, only as long as it does. */
function addressingOf(
  { self, bindings, pods }: AttachContext,
  pod: CniPod,
  ms: number,
  signal: AbortSignal,
): Promise<PodAddressing> {
  let missing = '';
  const probe = () => {
    requireInstance(pods, pod);
    const lookup = podAddressing(bindings, self, pod);
    if ('found' in lookup) return lookup.found;
    missing = bindings.database.connected ? lookup.missing : 'the southbound database is not reachable';
    return undefined;
  };
  const late = () =>
    new CniError(
      CNI_CODES.tryAgainLater,
      `no addresses for pod ${nameOf(pod)} after ${ms / 1000} s`,
      missing,
    );
  return until([bindings.database, ...(pods ? [pods] : [])], probe, { ms, signal, late });
}

/** Throws {@link CniError} 11 where Kubernetes has this instance of the pod no more. */
function requireInstance(pods: PodInstances | undefined, pod: CniPod): void {
  if (pods && pods.uidOf(pod) === undefined) throw replaced(pod);
}

function replaced(pod: CniPod): CniError {
  return new CniError(CNI_CODES.tryAgainLater, `pod ${nameOf(pod)} was deleted or replaced`);
}

function nameOf({ namespace, name }: CniPod): string {
  return `${namespace}/${name}`;
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

/**
 * Puts the host's end on br-int, in place of any port that an earlier instance of the pod left. The interfaces of those
 * go afterwards: without their port they are of no use to anybody.
 */
async function plugIn(
  { ovs, run }: AttachContext,
  request: CniAddRequest,
  pod: PodInterface,
  uid: string,
): Promise<void> {
  requireOvs(ovs);
  const ifaceId = podPort(request.pod.namespace, request.pod.name);
  const stale = portsWhere(ovs, row => entryOf(row, 'external_ids', 'iface-id') === ifaceId);
  for (const { interface: row } of stale) requireNotBeside(row, request);
  const externalIds = {
    attached_mac: pod.mac,
    'iface-id': ifaceId,
    'iface-id-ver': uid,
    ip_addresses: pod.ips.map(({ address }) => address).join(','),
    sandbox: request.sandbox,
    'pod-if-name': request.interfaceName,
    ...(request.network === undefined ? {} : { [NETWORK_KEY]: request.network }),
  };
  const port = { name: pod.hostName, externalIds, transient: true };
  const stalePorts = stale.map(entry => entry.port);
  await commit(ovs, addPort(integrationBridge(ovs), port, stalePorts));
  for (const { interface: row } of stale) {
    if (isHostInterfaceName(textOf(row, 'name'))) await deleteLink(run, textOf(row, 'name'));
  }
}

/** A pod has one port: a second interface in the same sandbox would cut the first one off. */
function requireNotBeside(port: Row, { sandbox, interfaceName, pod }: CniAddRequest): void {
  const id = (key: string) => entryOf(port, 'external_ids', key);
  if (id('sandbox') !== sandbox || isOfSandbox(port, sandbox, interfaceName)) return;
  throw new CniError(
    CNI_CODES.invalidEnvironment,
    `CNI_IFNAME: pod ${nameOf(pod)} is attached by its interface ${id('pod-if-name')} already`,
    'kube-northbound gives a pod one interface',
  );
}

/** Waits until ovn-controller says that the flows of this very interface are installed. */
async function installed(
  { ovs, bindings, pods, installMs }: AttachContext,
  { sandbox, interfaceName, pod }: CniAddRequest,
  uid: string,
  signal: AbortSignal,
): Promise<void> {
  const port = podPort(pod.namespace, pod.name);
  let seen: Row | undefined;
  const probe = () => {
    requireOvs(ovs);
    const binding = bindings.get(port);
    if (!binding || (binding.version ?? '') !== uid) throw replaced(pod);
    requireInstance(pods, { ...pod, uid });
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
  await until([ovs, bindings.database, ...(pods ? [pods] : [])], probe, { ms: installMs, signal, late });
}
