import type { ColdResult } from './cold.ts';
import type { Results } from './main.ts';

/** The results for people. */
export function table({ node, ovn, ovs, cpus, load, bounds, cold, change }: Results): string {
  const verdict = (ratio: number, bound: number) =>
    ratio <= bound ? `at most ${bound}: kept` : `at most ${bound}: MISSED`;
  const lines = [
    `Node ${node}, OVN ${ovn}, OVS ${ovs}, ${cpus} processors, load ${load.join(' before, ')} after`,
    '',
    `Cold sync of ${cold.pods} pods on ${cold.nodes} nodes: ${cold.rows} rows, ${cold.transactions} transactions, ${(cold.bytes / 1e6).toFixed(1)} MB; ${cold.rounds} rounds`,
    row('by programs that have done it before', ...HEADINGS),
    ...comparison(cold.warm),
    row('ratio of ours to raw', cold.ratio.toFixed(2), `  ${verdict(cold.ratio, bounds.cold)}`),
    row('by programs that have just started', ...HEADINGS),
    ...comparison(cold.first),
    row('ratio of ours to raw', cold.first.ratio.toFixed(2)),
    '',
    `One pod change (a pod comes, gets another address, goes) on ${change.nodes} nodes: medians of ${change.changes}, in µs`,
    row('', ...change.sizes.map(({ pods }) => `${pods} pods`)),
    row('ours: object in memory to database equal', ...change.sizes.map(({ ours_us }) => ours_us)),
    row('raw: the same transaction replayed', ...change.sizes.map(({ raw_us }) => raw_us)),
    row('ours less raw', ...change.sizes.map(({ less_raw_us }) => less_raw_us)),
    row('of that, until the transaction is sent', ...change.sizes.map(({ plan_us }) => plan_us)),
    row('ratio of "ours less raw"', change.ratio.toFixed(2), `  ${verdict(change.ratio, bounds.change)}`),
    row('ratio of "until the transaction is sent"', change.plan_ratio.toFixed(2)),
  ];
  return `${lines.join('\n')}\n`;
}

const HEADINGS = ['median ms', 'least ms', 'program CPU', 'database CPU'];

function comparison({ ours, raw, monitored }: ColdResult['warm']): readonly string[] {
  return [
    row('ours: facts in memory to database equal', ...columns(ours)),
    row('raw: the same transactions replayed', ...columns(raw)),
    row('raw, with a monitor like ours', ...columns(monitored)),
  ];
}

function row(name: string, ...values: readonly (string | number)[]): string {
  return `  ${name.padEnd(44)}${values.map(value => String(value).padStart(14)).join('')}`;
}

function columns({
  ms,
  min_ms,
  program_cpu_ms,
  database_cpu_ms,
}: ColdResult['warm']['ours']): readonly number[] {
  return [ms, min_ms, program_cpu_ms, database_cpu_ms];
}
