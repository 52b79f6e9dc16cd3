import { INTEGRATION_BRIDGE } from '../../contracts/names.ts';
import { byUuid, insert, mutate, type Operation, type Row } from '../../ovsdb-client/index.ts';
import { entryOf, textOf } from '../database.ts';
import { setExternalIds, toMap } from './ports.ts';

/** This node as a chassis of OVN. */
export interface ChassisWish {
  readonly node: string;
  /** What `system-id` must be: the Node's name, or what the Node's annotation says. */
  readonly chassisId: string;
  /** The southbound's addresses, for ovn-controller. */
  readonly remote: string;
  /** `--encap-ip`. */
  readonly encapIp: string | undefined;
  /** The Node's own address, for where neither the option nor an operator gave one. */
  readonly nodeIp: string | undefined;
}

/** Our record of a tunnel address that was taken from the Node. */
const OWN_ENCAP_IP = 'kube-northbound/node-ip';

/** The local Open vSwitch cannot be this node's chassis; the message says what to change. */
export class ChassisError extends Error {
  override readonly name = 'ChassisError';
}

/**
 * The transaction that makes this Open vSwitch the node's chassis; empty where it is one already. Only our keys of
 * `external_ids` are touched (ovn-controller(8)): `ovn-remote`, and `ovn-encap-ip` where it was given on the command
 * line, are ours; `hostname`, `ovn-encap-type` and `system-id` an operator's once they are there. Throws
 * {@link ChassisError} where the operator's settings cannot be this node's.
 */
export function chassisOperations(
  wish: ChassisWish,
  openVswitch: Row,
  bridges: Iterable<Row>,
): readonly Operation[] {
  const changes = externalIdChanges(wish, openVswitch);
  const operations: Operation[] = [];
  if (Object.keys(changes).length > 0) operations.push(setExternalIds('Open_vSwitch', openVswitch, changes));
  for (const bridge of bridges) {
    if (textOf(bridge, 'name') === INTEGRATION_BRIDGE) return operations;
  }
  return [...operations, ...makeBridge(openVswitch)];
}

/**
 * The tunnel address: the option's, an operator's, or else the Node's own; undefined where there is none. One that we took
 * from the Node once is not an operator's.
 */
export function tunnelAddress({ encapIp, nodeIp }: ChassisWish, openVswitch: Row): string | undefined {
  const present = entryOf(openVswitch, 'external_ids', 'ovn-encap-ip');
  const isOurs = present === entryOf(openVswitch, 'external_ids', OWN_ENCAP_IP);
  return encapIp ?? (isOurs ? (nodeIp ?? present) : (present ?? nodeIp));
}

function externalIdChanges(wish: ChassisWish, openVswitch: Row): Readonly<Record<string, string>> {
  const present = (key: string) => entryOf(openVswitch, 'external_ids', key);
  const systemId = present('system-id') ?? wish.chassisId;
  if (systemId !== wish.chassisId) {
    throw new ChassisError(
      `Open_vSwitch external_ids:system-id is "${systemId}", but the chassis of Node ${wish.node} must be ` +
        `"${wish.chassisId}": set system-id to that, or annotate the Node with k8s.ovn.org/node-chassis-id=${systemId}`,
    );
  }
  const encapIp = tunnelAddress(wish, openVswitch);
  if (encapIp === undefined) {
    throw new ChassisError(
      `no tunnel address for Node ${wish.node}: give --encap-ip, or set Open_vSwitch external_ids:ovn-encap-ip`,
    );
  }
  const wanted: Readonly<Record<string, string>> = {
    'system-id': systemId,
    hostname: present('hostname') ?? wish.node,
    'ovn-remote': wish.remote,
    'ovn-encap-type': present('ovn-encap-type') ?? 'geneve',
    'ovn-encap-ip': encapIp,
    // Remembered, so that a new address of the Node is followed, and an operator's is left alone.
    ...(encapIp === wish.nodeIp ? { [OWN_ENCAP_IP]: encapIp } : {}),
  };
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => present(key) !== value));
}

/** br-int as ovn-controller itself would make it: no traffic without its flows, the datapath that the operator chose. */
function makeBridge(openVswitch: Row): readonly Operation[] {
  const datapath = entryOf(openVswitch, 'external_ids', 'ovn-bridge-datapath-type');
  const name = INTEGRATION_BRIDGE;
  return [
    insert('Interface', { name, type: 'internal' }, { name: 'interface' }),
    insert('Port', { name, interfaces: ['named-uuid', 'interface'] }, { name: 'port' }),
    insert(
      'Bridge',
      {
        name,
        fail_mode: 'secure',
        ports: ['named-uuid', 'port'],
        ...(datapath === undefined ? {} : { datapath_type: datapath }),
        other_config: toMap({ 'disable-in-band': 'true' }),
      },
      { name: 'bridge' },
    ),
    mutate('Open_vSwitch', byUuid(openVswitch.uuid), [
      ['bridges', 'insert', ['set', [['named-uuid', 'bridge']]]],
    ]),
  ];
}
