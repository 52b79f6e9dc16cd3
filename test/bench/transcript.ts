/** Transactions as they were sent, for a program that repeats them. */
import { northboundTables } from '../../src/northbound/index.ts';
import type { Operation } from '../../src/ovsdb-client/index.ts';

/** One JSON-RPC request. The check of our lock is left out: who repeats the transaction has none. */
export function requestText(id: number, operations: readonly Operation[]): string {
  const params = ['OVN_Northbound', ...operations.filter(({ op }) => op !== 'assert')];
  return JSON.stringify({ id, method: 'transact', params });
}

/** The request for a monitor like ours (ovsdb-server(7), 4.1.15). */
export function monitorText(id: number): string {
  const tables = Object.entries(northboundTables).map(([table, columns]) => [table, [{ columns }]]);
  const never = '00000000-0000-0000-0000-000000000000';
  const params = ['OVN_Northbound', 'raw', Object.fromEntries(tables), never];
  return JSON.stringify({ id, method: 'monitor_cond_since', params });
}
