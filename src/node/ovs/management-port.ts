import { MANAGEMENT_INTERFACE, managementPort } from '../../contracts/names.ts';
import { byUuid, type Operation, type Row, update } from '../../ovsdb-client/index.ts';
import { type Database, entryOf, findRow } from '../database.ts';
import { addPort, portsWhere, removePorts, setExternalIds } from './ports.ts';

/** The management port as the local Open vSwitch is to have it. */
export interface ManagementPortWish {
  readonly node: string;
  readonly mac: string;
  readonly mtu: number;
}

/**
 * The transaction that gives br-int the management port of `wish`, or none where `wish` is undefined; empty where all
 * is well. The port is an internal one: Open vSwitch makes the interface, and keeps it over restarts.
 */
export function managementPortOperations(
  ovs: Database,
  bridge: Row,
  wish: ManagementPortWish | undefined,
): readonly Operation[] {
  const [existing] = portsWhere(ovs, row => row.columns.name === MANAGEMENT_INTERFACE);
  if (!wish) return existing ? removePorts(bridge, [existing.port]) : [];
  const ifaceId = managementPort(wish.node);
  const settings = { mac: wish.mac, mtu_request: wish.mtu };
  if (!existing) {
    const columns = { type: 'internal', ...settings };
    const externalIds = { 'iface-id': ifaceId };
    return addPort(bridge, { name: MANAGEMENT_INTERFACE, columns, externalIds, transient: false }, []);
  }
  const row = existing.interface;
  const operations: Operation[] = [];
  const { mac, mtu_request: mtu } = row.columns;
  if (mac !== wish.mac || mtu !== wish.mtu) {
    operations.push(update('Interface', byUuid(row.uuid), settings));
  }
  if (entryOf(row, 'external_ids', 'iface-id') !== ifaceId) {
    operations.push(setExternalIds('Interface', row, { 'iface-id': ifaceId }));
  }
  return operations;
}

/** Whether Open vSwitch has made the management interface. */
export function hasManagementInterface(ovs: Database): boolean {
  const row = findRow(ovs, 'Interface', 'name', MANAGEMENT_INTERFACE);
  return typeof row?.columns.ofport === 'number' && row.columns.ofport > 0;
}
