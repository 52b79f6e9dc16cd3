import { INTEGRATION_BRIDGE } from '../../contracts/names.ts';
import { byUuid, insert, mutate, type Operation, type Row } from '../../ovsdb-client/index.ts';
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
    insert(
      'Interface',
      { name: port.name, external_ids: toMap(port.externalIds), ...port.columns },
      { name: 'interface' },
    ),
    insert(
      'Port',
      {
        name: port.name,
        interfaces: ['named-uuid', 'interface'],
        ...(port.transient ? { other_config: toMap({ transient: 'true' }) } : {}),
      },
      { name: 'port' },
    ),
    mutatePorts(bridge, 'insert', [['named-uuid', 'port']]),
  ];
}

/** Takes ports off br-int; the database then drops them and their interfaces. */
export function removePorts(bridge: Row, ports: readonly string[]): readonly Operation[] {
  if (ports.length === 0) return [];
  const uuids = ports.map(uuid => ['uuid', uuid]);
  return [mutatePorts(bridge, 'delete', uuids)];
}

/** Gives keys of `external_ids` new values. Inserting alone would keep the old ones (RFC 7047, 5.1 <mutation>). */
export function setExternalIds(
  table: string,
  row: Row,
  entries: Readonly<Record<string, string>>,
): Operation {
  return mutate(table, byUuid(row.uuid), [
    ['external_ids', 'delete', ['set', Object.keys(entries)]],
    ['external_ids', 'insert', toMap(entries)],
  ]);
}

/** A map in wire form (RFC 7047, 5.1). */
export function toMap(entries: Readonly<Record<string, string>>): readonly unknown[] {
  return ['map', Object.entries(entries)];
}

/** Whether br-int is in the userspace datapath, where a pod's kernel must finish its checksums itself. */
export function isUserspaceDatapath(bridge: Row): boolean {
  return textOf(bridge, 'datapath_type') === 'netdev';
}

function mutatePorts(bridge: Row, mutator: 'insert' | 'delete', uuids: readonly unknown[]): Operation {
  return mutate('Bridge', byUuid(bridge.uuid), [['ports', mutator, ['set', uuids]]]);
}
