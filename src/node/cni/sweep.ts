import type { Log } from '../../contracts/log.ts';
import type { PodInstances } from '../kubernetes/node-pods.ts';
import { type PodPort, podPorts } from '../ovs/pod-ports.ts';
import { readLinks } from '../system/links.ts';
import type { DetachContext } from './detach.ts';
import { removePodPorts, removeStrayLinks } from './garbage.ts';
import type { Lanes } from './lanes.ts';

export interface SweepContext extends DetachContext {
  readonly pods: PodInstances | undefined;
}

/**
 * Removes what killed ADDs and pods that are gone have left on this node: ports whose interface is gone (with its
 * network namespace, or by a boot), interfaces that are no port, and, once Kubernetes' pods are known, ports of pods
 * that it does not have any more. Ports of others, and what a request is at work on, stay.
 */
export async function sweep(context: SweepContext, lanes: Lanes, log: Log): Promise<void> {
  const { ovs, pods, run } = context;
  // Looked at before the interfaces are: each of these ports had its interface then.
  const before = new Set(podPorts(ovs).map(port => port.port));
  const links = new Set(
    readLinks(await run(['ip', '-json', 'link', 'show', 'type', 'veth'])).map(({ name }) => name),
  );
  const isGone = ({ uid }: PodPort) => pods?.synced === true && uid !== '' && !pods.hasUid(uid);
  const stale = (port: PodPort) => (before.has(port.port) && !links.has(port.name)) || isGone(port);
  const removals = [
    ...(await removePodPorts(context, lanes, stale)),
    ...(await removeStrayLinks(context, lanes)),
  ];
  for (const { name, error } of removals) {
    if (error === undefined) log.info({ interface: name }, 'removed what a pod that is gone has left');
    else log.warn({ interface: name, error }, 'what a pod that is gone has left could not be removed');
  }
}
