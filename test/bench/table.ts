import type { ChangeResult } from './change.ts';
import { clusterLines } from './cluster/table.ts';
import type { ColdResult } from './cold.ts';
import type { Results } from './main.ts';
import { row, verdict } from './table-row.ts';

/** The results for people. */
export function table({ node, ovn, ovs, cpus, load, bounds, cold, change, cluster }: Results): string {
  const parts = [
    [`Node ${node}, OVN ${ovn}, OVS ${ovs}, ${cpus} processors, load ${load.join(' before, ')} after`],
    ...(cold ? [coldLines(cold, bounds.cold)] : []),
    ...(change ? [changeLines(change, bounds.change)] : []),
    ...(cluster ? [clusterLines(cluster, bounds.pod_bytes)] : []),
  ];
  return `${parts.map(lines => lines.join('\n')).join('\n\n')}\n`;
}

function coldLines(cold: ColdResult, bound: number): readonly string[] {
  return [
    `Cold sync of ${cold.pods} pods on ${cold.nodes} nodes: ${cold.rows} rows, ${cold.transactions} transactions, ${(cold.bytes / 1e6).toFixed(1)} MB; ${cold.rounds} rounds`,
    row('by programs that have done it before', ...HEADINGS),
    ...comparison(cold.warm),
    row('ratio of ours to raw', cold.ratio.toFixed(2), `  ${verdict(cold.ratio, bound)}`),
    row('by programs that have just started', ...HEADINGS),
    ...comparison(cold.first),
    row('ratio of ours to raw', cold.first.ratio.toFixed(2)),
  ];
}

function changeLines(change: ChangeResult, bound: number): readonly string[] {
  return [
    `One pod change (a pod comes, gets another address, goes) on ${change.nodes} nodes: medians of ${change.changes}, in µs`,
    row('', ...change.sizes.map(({ pods }) => `${pods} pods`)),
    row('ours: object in memory to database equal', ...change.sizes.map(({ ours_us }) => ours_us)),
    row('raw: the same transaction replayed', ...change.sizes.map(({ raw_us }) => raw_us)),
    row('ours less raw', ...change.sizes.map(({ less_raw_us }) => less_raw_us)),
    row('of that, until the transaction is sent', ...change.sizes.map(({ plan_us }) => plan_us)),
    row('ratio of "ours less raw"', change.ratio.toFixed(2), `  ${verdict(change.ratio, bound)}`),
    row('ratio of "until the transaction is sent"', change.plan_ratio.toFixed(2)),
  ];
}

const HEADINGS = ['median ms', 'least ms', 'program CPU', 'database CPU'];

function comparison({ ours, raw, monitored }: ColdResult['warm']): readonly string[] {
  return [
    row('ours: facts in memory to database equal', ...columns(ours)),
    row('raw: the same transactions replayed', ...columns(raw)),
    row('raw, with a monitor like ours', ...columns(monitored)),
  ];
}

function columns({
  ms,
  min_ms,
  program_cpu_ms,
  database_cpu_ms,
}: ColdResult['warm']['ours']): readonly number[] {
  return [ms, min_ms, program_cpu_ms, database_cpu_ms];
}
