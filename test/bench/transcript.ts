/** Transactions as they were sent, for a program that repeats them. */
import type { Operation } from '../../src/ovsdb-client/index.ts';

/** One JSON-RPC request. The check of our lock is left out: who repeats the transaction has none. */
export function requestText(id: number, operations: readonly Operation[]): string {
  const params = ['OVN_Northbound', ...operations.filter(({ op }) => op !== 'assert')];
  return JSON.stringify({ id, method: 'transact', params });
}
