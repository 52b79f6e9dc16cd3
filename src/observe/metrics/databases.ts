import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DiagnosticEvent } from '../../ovsdb-client/index.ts';
import { COUNTS, SHORT } from './buckets.ts';

/** Metrics of the process's OVSDB sessions. Gives the listener that keeps them. */
export function databaseMetrics(registry: Registry): (event: DiagnosticEvent) => void {
  const registers = [registry];
  const connected = new Gauge({
    name: 'kube_northbound_ovsdb_connected',
    help: 'Whether the database is connected and its rows are known.',
    labelNames: ['database'],
    registers,
  });
  const reconnects = new Counter({
    name: 'kube_northbound_ovsdb_reconnects_total',
    help: 'How often the database was connected again after a loss.',
    labelNames: ['database'],
    registers,
  });
  const failures = new Counter({
    name: 'kube_northbound_ovsdb_failed_attempts_total',
    help: 'Attempts to connect that failed.',
    labelNames: ['database'],
    registers,
  });
  const thrown = new Counter({
    name: 'kube_northbound_ovsdb_listener_errors_total',
    help: 'Exceptions in what listens to a database: each is a mistake in this program.',
    labelNames: ['database'],
    registers,
  });
  const durations = new Histogram({
    name: 'kube_northbound_ovsdb_transaction_duration_seconds',
    help: 'From sending a transaction to its answer, by how it ended.',
    labelNames: ['database', 'outcome'],
    buckets: SHORT,
    registers,
  });
  const sizes = new Histogram({
    name: 'kube_northbound_ovsdb_transaction_operations',
    help: 'Operations in a transaction.',
    labelNames: ['database'],
    buckets: COUNTS,
    registers,
  });
  const known = new Set<string>();
  return event => {
    const { database } = event;
    if (event.kind === 'attempt-failed') {
      failures.inc({ database });
    } else if (event.kind === 'listener-threw') {
      thrown.inc({ database });
    } else if (event.kind === 'transaction') {
      durations.observe({ database, outcome: event.outcome }, event.seconds);
      sizes.observe({ database }, event.operations);
    } else {
      const isReady = event.state === 'ready';
      connected.set({ database }, isReady ? 1 : 0);
      if (isReady && known.has(database)) reconnects.inc({ database });
      if (isReady) known.add(database);
    }
  };
}
