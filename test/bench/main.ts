/** `npm run bench`; see docs/benchmarks.md. */
import { cpus, loadavg } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type ChangeResult, measureChanges } from './change.ts';
import { type ColdResult, measureCold } from './cold.ts';
import { Databases } from './databases.ts';
import { rounded } from './statistics.ts';
import { table } from './table.ts';

/** What the ratios may be at most. */
const BOUNDS = { cold: 2, change: 1.2 };

const USAGE = `usage: npm run bench -- [--output text|json] [--json] [--check] [--pods N] [--nodes N] [--rounds N] [--changes N]

  --output json   print JSON instead of a table; --json is short for it
  --check         exit with 1 when a ratio is above its bound (cold ${BOUNDS.cold}, change ${BOUNDS.change})
  --pods N        pods of the cold sync, and of the larger cluster for single changes (10000); the smaller has a tenth
  --nodes N       nodes (100), at most 250; a node has room for 240 pods
  --rounds N      rounds of the cold sync (5)
  --changes N     single changes at each size (210)
`;

interface Options {
  readonly json: boolean;
  readonly check: boolean;
  readonly pods: number;
  readonly nodes: number;
  readonly rounds: number;
  readonly changes: number;
}

export interface Results {
  readonly node: string;
  readonly ovn: string;
  readonly ovs: string;
  readonly cpus: number;
  /** The machine's load (1 minute) before and after. */
  readonly load: readonly number[];
  readonly bounds: typeof BOUNDS;
  readonly cold: ColdResult;
  readonly change: ChangeResult;
}

/** undefined: the usage was printed. Throws where an option makes no sense. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      output: { type: 'string', default: 'text' },
      check: { type: 'boolean', default: false },
      pods: { type: 'string', default: '10000' },
      nodes: { type: 'string', default: '100' },
      rounds: { type: 'string', default: '5' },
      changes: { type: 'string', default: '210' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return undefined;
  }
  if (values.output !== 'text' && values.output !== 'json') throw new Error('--output: write text or json');
  const options = {
    json: values.json || values.output === 'json',
    check: values.check,
    pods: whole('pods', values.pods, 10, 60_000),
    nodes: whole('nodes', values.nodes, 1, 250),
    rounds: whole('rounds', values.rounds, 1, 100),
    changes: whole('changes', values.changes, 3, 100_000),
  };
  if (options.pods > options.nodes * 240)
    throw new Error('--pods: more than 240 for each node; raise --nodes');
  return options;
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name}: write a whole number from ${min} to ${max}, not "${text}"`);
}

async function run(databases: Databases, options: Options): Promise<Results> {
  const { pods, nodes, rounds, changes } = options;
  const before = loadavg()[0] ?? Number.NaN;
  process.stderr.write(`bench: cold sync of ${pods} pods on ${nodes} nodes, ${rounds} rounds\n`);
  const cold = await measureCold(databases, { pods, nodes, rounds });
  process.stderr.write(`bench: ${changes} single changes at ${pods / 10} and ${pods} pods\n`);
  // Each guest makes three changes; a tenth more are made to warm up.
  const guests = Math.ceil(Math.ceil(changes / 3) / 0.9);
  const change = await measureChanges(databases, { pods: [Math.round(pods / 10), pods], nodes, guests });
  const load = [before, loadavg()[0] ?? Number.NaN].map(value => rounded(value, 2));
  const { ovn, ovs } = databases.root.versions;
  return { node: process.version, ovn, ovs, cpus: cpus().length, load, bounds: BOUNDS, cold, change };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (!options) return;
  const databases = await Databases.create();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      databases.destroy();
      process.exit(1);
    });
  }
  try {
    const results = await run(databases, options);
    process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : table(results));
    const isMissed = !(results.cold.ratio <= BOUNDS.cold && results.change.ratio <= BOUNDS.change);
    if (options.check && isMissed) process.exitCode = 1;
  } finally {
    databases.destroy();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
