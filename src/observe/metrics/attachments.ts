import { Gauge, Histogram, type Registry } from 'prom-client';
import type { NodeEvent } from '../../node/diagnostics.ts';
import { LONG } from './buckets.ts';

/** Metrics of the agent's CNI requests. Gives the listener that keeps them. */
export function attachmentMetrics(registry: Registry): (event: NodeEvent) => void {
  const registers = [registry];
  const requests = new Histogram({
    name: 'kube_northbound_cni_request_duration_seconds',
    help: 'CNI requests, by command and by result: ok, or the error code of the CNI specification.',
    labelNames: ['command', 'result'],
    buckets: LONG,
    registers,
  });
  const running = new Gauge({
    name: 'kube_northbound_cni_requests_running',
    help: 'CNI requests that have not been answered yet.',
    labelNames: ['command'],
    registers,
  });
  const programmed = new Histogram({
    name: 'kube_northbound_pod_attaching_duration_seconds',
    help: "From an ADD until the southbound has the pod's port, and until the chassis has its flows.",
    labelNames: ['stage'],
    buckets: LONG,
    registers,
  });
  return event => {
    if (event.kind === 'cni-began') {
      running.inc({ command: event.command });
    } else if (event.kind === 'cni-ended') {
      running.dec({ command: event.command });
      requests.observe({ command: event.command, result: event.result }, event.seconds);
    } else if (event.kind === 'programmed') {
      programmed.observe({ stage: event.stage }, event.seconds);
    }
  };
}
