import { CNI_CODES, type CniAttachment, CniError, type CniGcRequest } from '../../contracts/cni.ts';
import { findRow } from '../database.ts';
import { DEFAULT_NETWORK, type PodPort, podPorts } from '../ovs/pod-ports.ts';
import { readLinks } from '../system/links.ts';
import { hostInterfaceName, isHostInterfaceName } from '../system/veth.ts';
import { type DetachContext, deleteLink, detach, requireOvs } from './detach.ts';
import type { Lanes } from './lanes.ts';

/**
 * GC: removes the ports of this network whose attachment is not in the list, and veth pairs of ours that have no
 * port. Goes on after a failure, and then rejects with {@link CniError} 5 that names what is left (CNI 1.1.0, "GC").
 * What a request is at work on is left to that request.
 */
export async function collectGarbage(
  context: DetachContext,
  lanes: Lanes,
  { network, attachments }: CniGcRequest,
): Promise<number> {
  requireOvs(context.ovs);
  const valid = new Set(attachments.map(nameOf));
  const isOther = (port: PodPort) => network !== undefined && (port.network ?? DEFAULT_NETWORK) !== network;
  const stale = (port: PodPort) => !isOther(port) && !valid.has(port.name);
  const results = [
    ...(await removePodPorts(context, lanes, stale)),
    ...(await removeStrayLinks(context, lanes)),
  ];
  const failures = results.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}`]));
  if (failures.length > 0) {
    throw new CniError(
      CNI_CODES.inputOutput,
      `${failures.length} interfaces could not be removed: try again`,
      failures.join('; '),
    );
  }
  return results.length;
}

/** What became of one removal; `error` is the message where it failed. */
export interface Removal {
  readonly name: string;
  readonly error?: string;
}

/** Detaches the pods' ports on br-int that are stale, but none that a request is at work on. */
export function removePodPorts(
  context: DetachContext,
  lanes: Lanes,
  stale: (port: PodPort) => boolean,
): Promise<readonly Removal[]> {
  const found = podPorts(context.ovs).filter(port => stale(port) && !lanes.isBusy(port.name));
  return Promise.all(found.map(port => removal(port.name, lanes, () => detach(context, port))));
}

/** Removes veth pairs of ours that are no port: their ADD was killed before it made one, or the port was taken away. */
export async function removeStrayLinks(context: DetachContext, lanes: Lanes): Promise<readonly Removal[]> {
  const { ovs, run } = context;
  const links = readLinks(await run(['ip', '-json', 'link', 'show', 'type', 'veth']));
  requireOvs(ovs);
  // Of any bridge, and of anybody: then it is in use.
  const hasPort = (name: string) => findRow(ovs, 'Interface', 'name', name) !== undefined;
  const strays = links
    .map(({ name }) => name)
    .filter(name => isHostInterfaceName(name) && !hasPort(name) && !lanes.isBusy(name));
  return Promise.all(strays.map(name => removal(name, lanes, () => deleteLink(run, name))));
}

async function removal(name: string, lanes: Lanes, remove: () => Promise<void>): Promise<Removal> {
  try {
    await lanes.run(name, remove);
    return { name };
  } catch (error) {
    return { name, error: error instanceof Error ? error.message : String(error) };
  }
}

function nameOf({ sandbox, interfaceName }: CniAttachment): string {
  return hostInterfaceName(sandbox, interfaceName);
}
