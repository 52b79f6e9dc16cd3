import { subscribe } from 'node:diagnostics_channel';
import type { Log } from '../contracts/log.ts';
import type { DiagnosticEvent } from '../ovsdb-client/index.ts';

/** Where the OVSDB client tells what happens to it. */
const CHANNEL = 'kube-northbound:ovsdb';

/**
 * Says in the log how the process's database sessions fare. Attempts that fail for one and the same reason are told
 * once, as a session tries for ever.
 */
export function logConnections(log: Log): void {
  const failures = new Map<string, string>();
  subscribe(CHANNEL, message => {
    const event = message as DiagnosticEvent;
    if (event.kind === 'transaction') return;
    const { database } = event;
    if (event.kind === 'listener-threw') {
      log.error({ database, error: event.cause }, 'a listener of the database session threw');
    } else if (event.kind === 'attempt-failed') {
      const reason = event.cause.message;
      if (failures.get(database) === reason) return;
      failures.set(database, reason);
      log.warn({ database, reason }, 'the database cannot be reached yet; going on trying');
    } else if (event.state === 'ready') {
      failures.delete(database);
      log.info({ database }, 'the database is connected');
    } else if (event.state === 'connecting' && event.cause) {
      log.warn({ database, reason: event.cause.message }, 'the connection to the database is lost');
    }
  });
}
