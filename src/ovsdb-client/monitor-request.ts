import type { Connection } from './connection.ts';
import { OperationError, ProtocolError } from './errors.ts';
import type { UpdateFormat } from './monitor.ts';
import type { MonitoredTables } from './monitored-table.ts';

/** The transaction id of "nothing seen yet". */
export const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000';

/** The first answer to a monitor request. `resumed`: `updates` follow the transaction that was named; else a dump. */
export interface MonitorAnswer {
  readonly format: UpdateFormat;
  readonly resumed: boolean;
  readonly transaction: string;
  readonly updates: unknown;
}

/**
 * Asks for one monitor over all tables, so that there is one transaction id and one consistent picture: by
 * monitor_cond_since, by monitor_cond where the server does not know that, and by RFC 7047's monitor at last.
 * `take` runs on the answer before the next message is looked at.
 */
export async function requestMonitor(
  connection: Connection,
  database: string,
  monitorId: string,
  tables: MonitoredTables,
  since: string,
  take: (answer: MonitorAnswer) => void,
): Promise<void> {
  const requests = Object.fromEntries(
    Array.from(tables, ([table, { columns }]) => [table, [{ columns: [...columns.keys()] }]]),
  );
  const params = [database, monitorId, requests];
  const attempts = [
    () => connection.request('monitor_cond_since', [...params, since], answer => take(parseSince(answer))),
    () => connection.request('monitor_cond', params, answer => take(dump('difference', answer))),
    () => connection.request('monitor', params, answer => take(dump('full', answer))),
  ];
  for (const [index, attempt] of attempts.entries()) {
    try {
      return await attempt();
    } catch (error) {
      const isUnknown = error instanceof OperationError && error.code === 'unknown method';
      if (!isUnknown || index === attempts.length - 1) throw error;
    }
  }
}

function parseSince(answer: unknown): MonitorAnswer {
  if (!Array.isArray(answer) || typeof answer[0] !== 'boolean' || typeof answer[1] !== 'string') {
    throw new ProtocolError('the answer to monitor_cond_since must be [found, transaction, updates]');
  }
  return { format: 'difference', resumed: answer[0], transaction: answer[1], updates: answer[2] };
}

function dump(format: UpdateFormat, updates: unknown): MonitorAnswer {
  return { format, resumed: false, transaction: NO_TRANSACTION, updates };
}
