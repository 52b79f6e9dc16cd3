import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { MasterEvent } from '../../master/diagnostics.ts';
import { COUNTS, LONG, SHORT } from './buckets.ts';

type Status = Extract<MasterEvent, { readonly kind: 'status' }>['status'];

/** Metrics of the master's work. Gives the listener that keeps them. */
export function northboundMetrics(registry: Registry): (event: MasterEvent) => void {
  const registers = [registry];
  const reconciles = new Histogram({
    name: 'kube_northbound_reconcile_duration_seconds',
    help: 'From changed objects to changed rows, before they are sent.',
    buckets: SHORT,
    registers,
  });
  const objects = new Histogram({
    name: 'kube_northbound_reconcile_objects',
    help: 'Changed objects that were translated at once.',
    buckets: COUNTS,
    registers,
  });
  const programmed = new Histogram({
    name: 'kube_northbound_pod_programming_duration_seconds',
    help: 'From seeing a pod on its node until the northbound shows its port, and until OVN says that it is up.',
    labelNames: ['stage'],
    buckets: LONG,
    registers,
  });
  const waiting = new Gauge({
    name: 'kube_northbound_waiting_rows',
    help: 'Rows that wait to be written to the northbound.',
    registers,
  });
  const show = statusMetrics(registry);
  return event => {
    if (event.kind === 'reconciled') {
      reconciles.observe(event.seconds);
      objects.observe(event.objects);
    } else if (event.kind === 'programmed') {
      programmed.observe({ stage: event.stage }, event.seconds);
    } else if (event.kind === 'row-queue') {
      waiting.set(event.depth);
    } else {
      show(event.status);
    }
  };
}

function statusMetrics(registry: Registry): (status: Status) => void {
  const registers = [registry];
  const inSync = new Gauge({
    name: 'kube_northbound_in_sync',
    help: 'Whether the northbound shows everything that was seen.',
    registers,
  });
  const changes = new Counter({
    name: 'kube_northbound_generations_total',
    help: 'Changed inputs since the start.',
    registers,
  });
  const pending = new Gauge({
    name: 'kube_northbound_pending_pods',
    help: 'Pods without a node.',
    registers,
  });
  const rows = byLabel(registry, 'rows', 'Rows of ours in the northbound.', 'table');
  const refused = byLabel(
    registry,
    'refused_objects',
    'Objects that are not in the northbound as they want to be.',
    'kind',
  );
  const ignored = byLabel(registry, 'ignored_objects', 'Objects of kinds that are not translated.', 'kind');
  const unenforced = byLabel(registry, 'unenforced_policies', 'Policies that have no effect.', 'kind');
  let generation = 0;
  return status => {
    inSync.set(status.synced ? 1 : 0);
    changes.inc(Math.max(0, status.generation - generation));
    generation = status.generation;
    pending.set(status.pending);
    rows(status.rows);
    refused(countKinds(status.refused.map(({ object }) => object)));
    ignored(status.ignored);
    unenforced(countKinds(status.unenforced));
  };
}

/** A gauge with one label whose values come and go; one that is gone reads 0, so that its alert ends. */
function byLabel(
  registry: Registry,
  name: string,
  help: string,
  label: string,
): (counts: Readonly<Record<string, number>>) => void {
  const gauge = new Gauge({
    name: `kube_northbound_${name}`,
    help,
    labelNames: [label],
    registers: [registry],
  });
  const known = new Set<string>();
  return counts => {
    for (const value of Object.keys(counts)) known.add(value);
    for (const value of known) gauge.set({ [label]: value }, counts[value] ?? 0);
  };
}

/** Objects are named `Kind namespace/name`; what else is refused, such as a file, has no kind. */
function countKinds(objects: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const object of objects) {
    const kind = /^([A-Z]\w*) /.exec(object)?.[1] ?? 'other';
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
