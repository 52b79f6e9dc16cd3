/** `npm run bench`; see docs/benchmarks.md. */
import { cpus, loadavg } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type ChangeResult, measureChanges } from './change.ts';
import type { ClusterResult, Skipped } from './cluster/measure.ts';
import { type ColdResult, measureCold } from './cold.ts';
import { Databases } from './databases.ts';
import { rounded } from './statistics.ts';
import { table } from './table.ts';

/** What the ratios may be at most, and the bytes of a pod in what follows the API server. */
const BOUNDS = { cold: 2, change: 1.2, pod_bytes: 1024 };

/** What there is to measure. */
const PARTS = ['cold', 'change', 'cluster'] as const;
type Part = (typeof PARTS)[number];

const USAGE = `usage: npm run bench -- [--only PART] [--output text|json] [--json] [--check] [--pods N] [--nodes N] [--rounds N]
                        [--changes N] [--cluster-pods N]

  --only PART     measure one part: cold (an empty database is filled), change (single pods change) or cluster (pods come
                  to a real API server); may be given several times

  --output json   print JSON instead of a table; --json is short for it
  --check         exit with 1 when a bound is broken (ratios: cold ${BOUNDS.cold}, change ${BOUNDS.change}; memory of a pod: ${BOUNDS.pod_bytes} bytes)
  --pods N        pods of the cold sync, and of the larger cluster for single changes (10000); the smaller has a tenth
  --nodes N       nodes (100), at most 250; a node has room for 230 pods
  --rounds N      rounds of the cold sync (5)
  --changes N     single changes at each size (210)
  --cluster-pods N  pods that come to the API server (5000)
`;

interface Options {
  readonly parts: ReadonlySet<Part>;
  readonly json: boolean;
  readonly check: boolean;
  readonly pods: number;
  readonly nodes: number;
  readonly rounds: number;
  readonly changes: number;
  readonly clusterPods: number;
}

export interface Results {
  readonly node: string;
  readonly ovn: string;
  readonly ovs: string;
  readonly cpus: number;
  /** The machine's load (1 minute) before and after. */
  readonly load: readonly number[];
  readonly bounds: typeof BOUNDS;
  /** What was not asked for is not there. */
  readonly cold?: ColdResult;
  readonly change?: ChangeResult;
  readonly cluster?: ClusterResult | Skipped;
}

/** undefined: the usage was printed. Throws where an option makes no sense. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [...PARTS] },
      json: { type: 'boolean', default: false },
      output: { type: 'string', default: 'text' },
      check: { type: 'boolean', default: false },
      pods: { type: 'string', default: '10000' },
      nodes: { type: 'string', default: '100' },
      rounds: { type: 'string', default: '5' },
      changes: { type: 'string', default: '210' },
      'cluster-pods': { type: 'string', default: '5000' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return undefined;
  }
  if (values.output !== 'text' && values.output !== 'json') throw new Error('--output: write text or json');
  const options = {
    parts: new Set(values.only.map(partOf)),
    json: values.json || values.output === 'json',
    check: values.check,
    pods: whole('pods', values.pods, 10, 60_000),
    nodes: whole('nodes', values.nodes, 1, 250),
    rounds: whole('rounds', values.rounds, 1, 100),
    changes: whole('changes', values.changes, 3, 100_000),
    clusterPods: whole('cluster-pods', values['cluster-pods'], 10, 60_000),
  };
  if (options.parts.has('cluster')) checkRoom('cluster-pods', options.clusterPods, options.nodes);
  if (options.parts.has('cold') || options.parts.has('change'))
    checkRoom('pods', options.pods, options.nodes);
  return options;
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name}: write a whole number from ${min} to ${max}, not "${text}"`);
}

function checkRoom(name: string, pods: number, nodes: number): void {
  if (pods > nodes * 230) throw new Error(`--${name}: more than 230 for each node; raise --nodes`);
}

function partOf(text: string): Part {
  const part = PARTS.find(name => name === text);
  if (part === undefined) throw new Error(`--only: write ${PARTS.join(', ')}, not "${text}"`);
  return part;
}

async function run(databases: Databases, options: Options, ends: Ends): Promise<Results> {
  const { parts, pods, nodes, rounds, changes } = options;
  const before = loadavg()[0] ?? Number.NaN;
  const results: { cold?: ColdResult; change?: ChangeResult; cluster?: ClusterResult | Skipped } = {};
  if (parts.has('cold')) {
    tell(`cold sync of ${pods} pods on ${nodes} nodes, ${rounds} rounds`);
    results.cold = await measureCold(databases, { pods, nodes, rounds });
  }
  if (parts.has('change')) {
    tell(`${changes} single changes at ${pods / 10} and ${pods} pods`);
    // Each guest makes three changes; a tenth more are made to warm up.
    const guests = Math.ceil(Math.ceil(changes / 3) / 0.9);
    const sizes = [Math.round(pods / 10), pods];
    results.change = await measureChanges(databases, { pods: sizes, nodes, guests });
  }
  if (parts.has('cluster')) {
    // Looks for the control plane's programs, and may build them.
    const { measureCluster } = await import('./cluster/measure.ts');
    const atEnd = (end: () => unknown) => ends.add(end);
    results.cluster = await measureCluster(databases, { pods: options.clusterPods, nodes, tell, atEnd });
  }
  const load = [before, loadavg()[0] ?? Number.NaN].map(value => rounded(value, 2));
  const { ovn, ovs } = databases.root.versions;
  return { node: process.version, ovn, ovs, cpus: cpus().length, load, bounds: BOUNDS, ...results };
}

/** Whether a bound is broken. What was not measured breaks none. */
function isMissed({ cold, change, cluster }: Results): boolean {
  const isKept =
    (!cold || cold.ratio <= BOUNDS.cold) &&
    (!change || change.ratio <= BOUNDS.change) &&
    (!cluster || 'skipped' in cluster || cluster.memory.cluster_bytes_per_pod <= BOUNDS.pod_bytes);
  return !isKept;
}

function tell(what: string): void {
  process.stderr.write(`bench: ${what}\n`);
}

/** What has to be done at the end, the last first, in whatever way the end comes. */
class Ends {
  readonly #ends: (() => unknown)[] = [];
  #running: Promise<void> | undefined;

  add(end: () => unknown): void {
    this.#ends.push(end);
  }

  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end();
  }
}

async function main(): Promise<void> {
  const options = readOptions();
  if (!options) return;
  const databases = await Databases.create();
  const ends = new Ends();
  ends.add(() => databases.destroy());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void ends.run().finally(() => process.exit(1)));
  }
  try {
    const results = await run(databases, options, ends);
    process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : table(results));
    if (options.check && isMissed(results)) process.exitCode = 1;
  } finally {
    await ends.run();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
