import { row, verdict } from '../table-row.ts';
import type { Burst } from './burst.ts';
import type { ClusterResult, Skipped } from './measure.ts';
import type { Memory } from './memory.ts';
import type { Spread } from './spread.ts';

/** The results for people. */
export function clusterLines(result: ClusterResult | Skipped, bound: number): readonly string[] {
  if ('skipped' in result) return [`Pods on a real API server: skipped: ${result.skipped}`];
  const { pods, nodes, connections, with: burst } = result;
  const { ports_seconds, ports_per_second, addresses_seconds } = burst;
  const [first, last] = result.without;
  return [
    `${pods} pods on ${nodes} nodes, created on a real API server over ${connections} connections as fast as it takes them`,
    row('the API server alone, before', ...BURST),
    ...(first ? burstLines(first) : []),
    row('the API server with the master', ...BURST),
    ...burstLines(burst),
    row('the API server alone, after', ...BURST),
    ...(last ? burstLines(last) : []),
    row('ratio of a create, with to without', result.create_ratio.toFixed(2)),
    row('processor time of a pod in ms', 'API server', 'etcd', 'northbound', 'master'),
    ...(first ? [row('without the master', ...processors(first).slice(0, 2))] : []),
    row('with the master', ...processors(burst)),
    row('the master', 'p50 ms', 'p99 ms', 'max ms', 'a second'),
    row('answer of the create to port in northbound', ...columns(burst.port_ms), ports_per_second),
    row('event of a watch to port in northbound', ...columns(burst.port_after_event_ms)),
    row('answer of the create to addresses on the pod', ...columns(burst.addresses_ms)),
    row('first create to last port, last addresses', `${ports_seconds} s`, `${addresses_seconds} s`),
    ...memoryLines(result.memory, pods, bound),
  ];
}

const BURST = ['p50 ms', 'p99 ms', 'max ms', 'a second'];

function burstLines({ create_ms, event_ms, watch_cuts, pods_per_second }: Burst): readonly string[] {
  const watched = `answered to event of a watch${watch_cuts > 0 ? ` (cut ${watch_cuts} times)` : ''}`;
  return [
    row('create: sent to answered', ...columns(create_ms), pods_per_second),
    row(watched, ...columns(event_ms)),
  ];
}

function memoryLines(memory: ClusterResult['memory'], pods: number, bound: number): readonly string[] {
  const { master, cluster_bytes_per_pod, agent } = memory;
  return [
    row('memory', 'heap MB', 'resident MB'),
    row('master, before', ...megabytes(master.before)),
    row(
      `master, with ${pods} pods more`,
      ...megabytes(master.after),
      `  ${master.bytes_per_pod} bytes of heap a pod`,
    ),
    row(
      'what src/cluster keeps, bytes of heap a pod',
      cluster_bytes_per_pod,
      '',
      `  ${verdict(cluster_bytes_per_pod, bound)}`,
    ),
    row(`agent, with the ${agent.pods} pods of its node`, ...megabytes(agent)),
  ];
}

function processors({ processor_ms_per_pod: used }: Burst): readonly number[] {
  return [used.api_server, used.etcd, used.northbound, used.master];
}

function columns({ p50, p99, max }: Spread): readonly number[] {
  return [p50, p99, max];
}

function megabytes({ heap, rss }: Memory): readonly string[] {
  return [heap, rss].map(bytes => (bytes / 1e6).toFixed(1));
}
