import type { Value } from '../ovsdb-client/index.ts';
import type { OwnedDatabase } from '../ovsdb-state/index.ts';
import { type AllocationRecord, allocationRecord } from '../translate/index.ts';

/** Reads the allocations that the northbound remembers from the rows that are ours. */
export function readRecord(owned: Pick<OwnedDatabase, 'owned'>): AllocationRecord {
  const switchOfPort = new Map<string, string>();
  for (const { row } of owned.owned('Logical_Switch')) {
    for (const port of textsOf(row.columns.ports)) switchOfPort.set(port, String(row.columns.name));
  }
  return allocationRecord({
    routerPorts: [...owned.owned('Logical_Router_Port')].map(({ unit, row }) => ({
      unit,
      name: String(row.columns.name),
      networks: textsOf(row.columns.networks),
    })),
    switchPorts: [...owned.owned('Logical_Switch_Port')].map(({ unit, row }) => ({
      unit,
      addresses: textsOf(row.columns.addresses),
      switch: switchOfPort.get(row.uuid),
    })),
  });
}

function textsOf(value: Value): readonly string[] {
  return value instanceof Set ? [...value].map(String) : [];
}
