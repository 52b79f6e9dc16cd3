import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ClusterEvent } from '../../cluster/diagnostics.ts';
import { SHORT } from './buckets.ts';

type EventOf<K extends ClusterEvent['kind']> = Extract<ClusterEvent, { readonly kind: K }>;

/** Metrics of requests to the Kubernetes API server and of watches. Gives the listener that keeps them. */
export function watchMetrics(registry: Registry): (event: ClusterEvent) => void {
  const registers = [registry];
  const requests = new Histogram({
    name: 'kube_northbound_api_request_duration_seconds',
    help: 'Requests to the Kubernetes API server until their answer began; code 0: there was none.',
    labelNames: ['method', 'resource', 'code'],
    buckets: SHORT,
    registers,
  });
  const lists = new Counter({
    name: 'kube_northbound_watch_lists_total',
    help: 'How often all objects of a resource were read: once at the start, and where a watch cannot go on.',
    labelNames: ['resource'],
    registers,
  });
  const listed = new Gauge({
    name: 'kube_northbound_watch_listed_objects',
    help: 'Objects that the last list had.',
    labelNames: ['resource'],
    registers,
  });
  const events = new Counter({
    name: 'kube_northbound_watch_events_total',
    help: 'What watches have told.',
    labelNames: ['resource', 'type'],
    registers,
  });
  const ends = new Counter({
    name: 'kube_northbound_watch_restarts_total',
    help: 'Watches that ended and were begun again.',
    labelNames: ['resource', 'reason'],
    registers,
  });
  return event => {
    if (event.kind === 'request') {
      const { method, resource, code, seconds } = event;
      requests.observe({ method, resource, code }, seconds);
    } else if (event.kind === 'listed') {
      lists.inc({ resource: event.resource });
      listed.set({ resource: event.resource }, event.objects);
    } else if (event.kind === 'watch-event') {
      events.inc({ resource: event.resource, type: event.type });
    } else if (event.kind === 'watch-ended') {
      ends.inc({ resource: event.resource, reason: event.reason });
    }
  };
}

/** Metrics of what is written to the Kubernetes API. Gives the listener that keeps them. */
export function writeMetrics(registry: Registry): (event: ClusterEvent) => void {
  const registers = [registry];
  const queue = new Gauge({
    name: 'kube_northbound_write_queue_depth',
    help: 'Annotations, conditions and Events that wait to be written.',
    registers,
  });
  const written = new Counter({
    name: 'kube_northbound_writes_total',
    help: 'Writes to the Kubernetes API, by how they ended.',
    labelNames: ['resource', 'result'],
    registers,
  });
  return event => {
    if (event.kind === 'write-queue') queue.set(event.depth);
    else if (event.kind === 'written') written.inc({ resource: event.resource, result: event.result });
  };
}

/** Metrics of who leads and of what the leader refuses. Gives the listener that keeps them. */
export function leadMetrics(registry: Registry): (event: ClusterEvent) => void {
  const lease = leaseMetrics(registry);
  const refusals = new Counter({
    name: 'kube_northbound_refusals_total',
    help: 'Objects that were refused, in whole or in part, by the reason of their Event.',
    labelNames: ['reason'],
    registers: [registry],
  });
  return event => {
    if (event.kind === 'lease') lease(event);
    else if (event.kind === 'lease-failed') lease(undefined);
    else if (event.kind === 'refused') refusals.inc({ reason: event.reason });
  };
}

/** Takes what is known of the Lease, or undefined where it could be neither read nor written. */
function leaseMetrics(registry: Registry): (event: EventOf<'lease'> | undefined) => void {
  const registers = [registry];
  const leader = new Gauge({
    name: 'kube_northbound_leader',
    help: 'Whether this process holds the Lease.',
    registers,
  });
  const term = new Gauge({
    name: 'kube_northbound_lease_transitions',
    help: 'How often the Lease has changed hands, as it says itself.',
    registers,
  });
  const failures = new Counter({
    name: 'kube_northbound_lease_failures_total',
    help: 'Attempts to read or to write the Lease that failed.',
    registers,
  });
  return event => {
    if (event === undefined) {
      failures.inc();
      return;
    }
    leader.set(event.holds ? 1 : 0);
    term.set(event.term);
  };
}
