import { INTEGRATION_BRIDGE } from '../../contracts/names.ts';
import type { Operation, Row } from '../../ovsdb-client/index.ts';
import { type Database, entryOf, findRow, membersOf, textOf } from '../database.ts';

/** An interface that is to be a port of br-int. */
export interface NewPort {
  readonly name: string;
  /** Further columns of the Interface (ovs-vswitchd.conf.db(5)). */
  readonly columns?: Readonly<Record<string, unknown>>;
  readonly externalIds: Readonly<Record<string, string>>;
  /** Whether `ovs-ctl start` may remove the port after a boot, when its interface no longer exists. */
  readonly transient: boolean;
}

/** The Interfaces on br-int that satisfy `test`, with the Port that holds each. */
export function portsWhere(
  ovs: Database,
  test: (row: Row) => boolean,
): readonly { readonly port: string; readonly interface: Row }[] {
  const bridge = findRow(ovs, 'Bridge', 'name', INTEGRATION_BRIDGE);
  const wanted = new Map([...ovs.rows('Interface')].filter(test).map(row => [row.uuid, row]));
  if (!bridge || wanted.size === 0) return [];
  const onBridge = new Set(membersOf(bridge, 'ports'));
  const found = [];
  for (const port of ovs.rows('Port')) {
    if (!onBridge.has(port.uuid)) continue;
    const row = membersOf(port, 'interfaces').map(uuid => wanted.get(uuid))[0];
    if (row) found.push({ port: port.uuid, interface: row });
  }
  return found;
}

/** Whether an Interface was made for this sandbox and interface of a pod. */
export function isOfSandbox(row: Row, sandbox: string, interfaceName: string): boolean {
  return (
    entryOf(row, 'external_ids', 'sandbox') === sandbox &&
    (entryOf(row, 'external_ids', 'pod-if-name') ?? interfaceName) === interfaceName
  );
}

/**
 * One transaction that puts a port on br-int and takes `stale` ports off it. Port and Interface are not root tables:
 * without the bridge's reference they would vanish at once.
 */
export function addPort(bridge: Row, port: NewPort, stale: readonly string[]): readonly Operation[] {
  return [
    ...removePorts(bridge, stale),
    {
      op: 'insert',
      table: 'Interface',
      'uuid-name': 'interface',
      row: { name: port.name, external_ids: toMap(port.externalIds), ...port.columns },
    },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': 'port',
      row: {
        name: port.name,
        interfaces: ['named-uuid', 'interface'],
        ...(port.transient ? { other_config: toMap({ transient: 'true' }) } : {}),
      },
    },
    mutatePorts(bridge, 'insert', [['named-uuid', 'port']]),
  ];
}

/** Takes ports off br-int; the database then drops them and their interfaces. */
export function removePorts(bridge: Row, ports: readonly string[]): readonly Operation[] {
  if (ports.length === 0) return [];
  const uuids = ports.map(uuid => ['uuid', uuid]);
  return [mutatePorts(bridge, 'delete', uuids)];
}

/** A map in wire form (RFC 7047, 5.1). */
export function toMap(entries: Readonly<Record<string, string>>): readonly unknown[] {
  return ['map', Object.entries(entries)];
}

/** The condition that picks one row. */
export function byUuid(row: Row): readonly unknown[] {
  return [['_uuid', '==', ['uuid', row.uuid]]];
}

/** Whether br-int is in the userspace datapath, where a pod's kernel must finish its checksums itself. */
export function isUserspaceDatapath(bridge: Row): boolean {
  return textOf(bridge, 'datapath_type') === 'netdev';
}

function mutatePorts(bridge: Row, mutator: 'insert' | 'delete', uuids: readonly unknown[]): Operation {
  return {
    op: 'mutate',
    table: 'Bridge',
    where: byUuid(bridge),
    mutations: [['ports', mutator, ['set', uuids]]],
  };
}
