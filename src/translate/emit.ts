import { ref } from '../ovsdb-state/row.ts';
import type { RowEmitter } from './facts.ts';

/** Puts row `key` of `childTable` into a set column of its parent: a row of a non-root table lives only there. */
export function attach(
  emit: RowEmitter,
  parent: { readonly table: string; readonly key: string; readonly column: string },
  childTable: string,
  key: string,
): void {
  emit.member(parent.table, parent.key, parent.column, key, ref(childTable, key));
}

/** A router port and the switch port that faces it, each in its parent: the usual seam of router and switch. */
export function routerToSwitch(
  emit: RowEmitter,
  router: {
    readonly name: string;
    readonly port: string;
    readonly mac: string;
    readonly networks: readonly string[];
  },
  swtch: { readonly name: string; readonly port: string },
): void {
  emit.row('Logical_Router_Port', router.port, {
    name: router.port,
    mac: router.mac,
    networks: router.networks,
  });
  attach(
    emit,
    { table: 'Logical_Router', key: router.name, column: 'ports' },
    'Logical_Router_Port',
    router.port,
  );
  emit.row('Logical_Switch_Port', swtch.port, {
    name: swtch.port,
    type: 'router',
    addresses: ['router'],
    options: { 'router-port': router.port },
  });
  attach(
    emit,
    { table: 'Logical_Switch', key: swtch.name, column: 'ports' },
    'Logical_Switch_Port',
    swtch.port,
  );
}
