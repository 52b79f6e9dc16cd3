import type { CniAttachment } from '../../contracts/cni.ts';
import type { Row } from '../../ovsdb-client/index.ts';
import { type Database, entryOf, textOf } from '../database.ts';
import { hostInterfaceName } from '../system/veth.ts';
import { portsWhere } from './ports.ts';

/** The name of the network configuration that an interface was attached by, in its `external_ids`. */
export const NETWORK_KEY = 'kube-northbound/network';

/** The name in the network configuration that we install; of this network are ports of older releases, which noted none. */
export const DEFAULT_NETWORK = 'kube-northbound';

/** A port of br-int that an ADD made. */
export interface PodPort extends CniAttachment {
  /** UUID of the Port, and its Interface. */
  readonly port: string;
  readonly interface: Row;
  /** The name of the host's end of the veth pair, which is that of port and interface. */
  readonly name: string;
  /** `iface-id-ver`: the uid of the pod, '' where it had none. */
  readonly uid: string;
  /** Undefined for ports of older releases. */
  readonly network: string | undefined;
}

/**
 * The ports on br-int that ADDs made. What tells them from ports of others is their name: it is derived from the
 * sandbox and the interface that their `external_ids` name.
 */
export function podPorts(ovs: Database): readonly PodPort[] {
  const marked = portsWhere(ovs, row => entryOf(row, 'external_ids', 'sandbox') !== undefined);
  return marked.flatMap(({ port, interface: row }) => {
    const id = (key: string) => entryOf(row, 'external_ids', key);
    const sandbox = id('sandbox') ?? '';
    const interfaceName = id('pod-if-name') ?? '';
    const name = textOf(row, 'name');
    if (name !== hostInterfaceName(sandbox, interfaceName)) return [];
    const uid = id('iface-id-ver') ?? '';
    return [{ port, interface: row, name, sandbox, interfaceName, uid, network: id(NETWORK_KEY) }];
  });
}
