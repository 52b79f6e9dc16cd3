import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Times } from './clock.ts';
import type { Databases } from './databases.ts';
import { median, rounded } from './statistics.ts';

/** Medians, and the least time, in milliseconds. */
interface Summary {
  readonly ms: number;
  readonly min_ms: number;
  /** Processor time of the program. */
  readonly program_cpu_ms: number;
  /** Processor time of the database. */
  readonly database_cpu_ms: number;
}

/** The same work by the product, by a raw replay, and by a raw replay with a monitor. `ratio`: ours to raw. */
interface Comparison {
  readonly ours: Summary;
  readonly raw: Summary;
  /** What the database needs to tell what it was told, too. */
  readonly monitored: Summary;
  readonly ratio: number;
}

export interface ColdResult {
  readonly pods: number;
  readonly nodes: number;
  readonly rows: number;
  readonly transactions: number;
  readonly bytes: number;
  readonly rounds: number;
  /** By programs that have done it before, into other databases. */
  readonly ours_ms: number;
  readonly raw_ms: number;
  readonly ratio: number;
  readonly warm: Comparison;
  /** By programs that have just started: the first time that Node runs any of their code. */
  readonly first: Comparison;
}

export interface ColdOptions {
  readonly pods: number;
  readonly nodes: number;
  readonly rounds: number;
}

/** One sync of one empty database, as a program reports it. */
export interface Sync extends Times {
  readonly rows: number;
}

interface Report extends Sync {
  readonly database: number;
}

/** How often a program does it before it counts as warm. */
const WARM_UP = 3;

/** Syncs into empty databases beside replays of the same transactions, in programs of their own, by turns. */
export async function measureCold(databases: Databases, options: ColdOptions): Promise<ColdResult> {
  const { pods, nodes, rounds } = options;
  const file = join(databases.folder, 'transactions');
  const [recorded] = await measure(databases, 'cold-sync', [`${pods}`, `${nodes}`, file], 1);
  const reports = { ours: [] as Report[][], raw: [] as Report[][], monitored: [] as Report[][] };
  for (let round = 0; round < rounds; round++) {
    const times = WARM_UP + 1;
    reports.raw.push(await measure(databases, 'raw-replay', [file, 'alone'], times));
    reports.monitored.push(await measure(databases, 'raw-replay', [file, 'monitor'], times));
    reports.ours.push(await measure(databases, 'cold-sync', [`${pods}`, `${nodes}`, ''], times));
  }
  const compare = (index: number) => comparisonOf(reports, index);
  const [warm, first] = [compare(WARM_UP), compare(0)];
  const transcript = readFileSync(file, 'utf8');
  return {
    pods,
    nodes,
    rows: recorded?.rows ?? 0,
    transactions: transcript.split('\n').length,
    bytes: transcript.length,
    rounds,
    ours_ms: warm.ours.ms,
    raw_ms: warm.raw.ms,
    ratio: warm.ratio,
    warm,
    first,
  };
}

function comparisonOf(
  reports: Readonly<Record<'ours' | 'raw' | 'monitored', readonly (readonly Report[])[]>>,
  index: number,
): Comparison {
  const [ours, raw, monitored] = (['ours', 'raw', 'monitored'] as const).map(name =>
    summaryOf(reports[name].flatMap(round => round[index] ?? [])),
  );
  if (!ours || !raw || !monitored) throw new Error('three programs were measured');
  return { ours, raw, monitored, ratio: rounded(ours.ms / raw.ms, 2) };
}

function summaryOf(reports: readonly Report[]): Summary {
  return {
    ms: rounded(median(reports.map(({ ms }) => ms))),
    min_ms: rounded(Math.min(...reports.map(({ ms }) => ms))),
    program_cpu_ms: rounded(median(reports.map(({ cpu }) => cpu))),
    database_cpu_ms: rounded(median(reports.map(({ database }) => database))),
  };
}

/** Lets a program fill so many empty databases, one after the other. */
async function measure(
  databases: Databases,
  program: string,
  args: readonly string[],
  times: number,
): Promise<Report[]> {
  const servers = Array.from({ length: times }, () => databases.start());
  try {
    const syncs = await runProgram(program, [...args, ...servers.map(({ endpoint }) => endpoint.path)]);
    return servers.flatMap((server, index) => {
      const sync = syncs[index];
      return sync ? [{ ...sync, database: databases.processorMs(server) }] : [];
    });
  } finally {
    for (const server of servers) databases.stop(server);
  }
}

/** Runs one of the programs beside this one; what it reports is its result. */
function runProgram(program: string, args: readonly string[]): Promise<readonly Sync[]> {
  return new Promise((resolve, reject) => {
    let report: readonly Sync[] | undefined;
    const child = fork(fileURLToPath(new URL(`${program}.mjs`, import.meta.url)), args);
    child.on('message', message => {
      report = message as readonly Sync[];
    });
    child.on('error', reject);
    child.on('exit', code => {
      if (code === 0 && report) resolve(report);
      else reject(new Error(`${program} ended with ${code} before it was done`));
    });
  });
}
