import { formatIp, macOf } from '../addresses/index.ts';
import { wantsPort } from '../cluster/facts/index.ts';
import { attach } from './emit.ts';
import type { Unit } from './facts.ts';
import { nodeSwitch, podPort } from './names.ts';

/** A pod's port on its node's switch. Pods of the host's network, finished and unscheduled ones have none. */
export const pods: Unit = {
  name: 'pod',
  over: 'pod',
  run(read, emit, key) {
    const pod = read.get('pod', key);
    if (!pod || !wantsPort(pod)) return;
    if (pod.node === undefined) {
      if (pod.problem !== undefined) emit.refuse(pod.problem);
      return;
    }
    const allocation = read.get('podAddresses', key);
    if (allocation?.error !== undefined) emit.refuse(allocation.error.text);
    const [first] = allocation?.ips ?? [];
    if (!allocation || !first) return;

    const name = podPort(pod.namespace, pod.name);
    const address = [allocation.mac ?? macOf(first), ...allocation.ips.map(formatIp)].join(' ');
    emit.row('Logical_Switch_Port', name, {
      name,
      addresses: [address],
      port_security: [address],
      options: {
        // The port belongs to this very pod: a successor of the same name is another instance.
        'iface-id-ver': pod.instance,
        'requested-chassis': read.get('node', pod.node)?.chassis ?? pod.node,
      },
      external_ids: { namespace: pod.namespace, pod: 'true' },
    });
    attach(
      emit,
      { table: 'Logical_Switch', key: nodeSwitch(pod.node), column: 'ports' },
      'Logical_Switch_Port',
      name,
    );
  },
};
