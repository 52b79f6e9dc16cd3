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

export interface ColdResult {
  readonly pods: number;
  readonly nodes: number;
  readonly rows: number;
  readonly transactions: number;
  readonly bytes: number;
  /** Medians; `ratio` is theirs. */
  readonly ours_ms: number;
  readonly raw_ms: number;
  readonly ratio: number;
  readonly ours: Summary;
  readonly raw: Summary;
  /** The raw replay with a monitor like ours: what the database needs to tell what it was told. */
  readonly monitored: Summary;
  readonly rounds: readonly { readonly ours_ms: number; readonly raw_ms: number }[];
}

export interface ColdOptions {
  readonly pods: number;
  readonly nodes: number;
  readonly rounds: number;
}

/** A cold sync beside a replay of its transactions: each in a new process, into a new database, by turns. */
export async function measureCold(databases: Databases, options: ColdOptions): Promise<ColdResult> {
  const { pods, nodes } = options;
  const file = join(databases.folder, 'transactions');
  const sync = [`${pods}`, `${nodes}`];
  const { rows = 0 } = await measure(databases, 'cold-sync', [...sync, file]);
  const ours: Report[] = [];
  const raw: Report[] = [];
  const monitored: Report[] = [];
  for (let round = 0; round < options.rounds; round++) {
    raw.push(await measure(databases, 'raw-replay', [file]));
    monitored.push(await measure(databases, 'raw-replay', [file, 'monitor']));
    ours.push(await measure(databases, 'cold-sync', sync));
  }
  const transcript = readFileSync(file, 'utf8');
  const [oursSummary, rawSummary] = [summaryOf(ours), summaryOf(raw)];
  return {
    pods,
    nodes,
    rows,
    transactions: transcript.split('\n').length,
    bytes: transcript.length,
    ours_ms: oursSummary.ms,
    raw_ms: rawSummary.ms,
    ratio: rounded(oursSummary.ms / rawSummary.ms, 2),
    ours: oursSummary,
    raw: rawSummary,
    monitored: summaryOf(monitored),
    rounds: ours.map(({ ms }, round) => ({
      ours_ms: rounded(ms),
      raw_ms: rounded(raw[round]?.ms ?? Number.NaN),
    })),
  };
}

interface ProgramReport extends Times {
  readonly rows?: number;
}

interface Report extends ProgramReport {
  readonly database: number;
}

function summaryOf(reports: readonly Report[]): Summary {
  return {
    ms: rounded(median(reports.map(({ ms }) => ms))),
    min_ms: rounded(Math.min(...reports.map(({ ms }) => ms))),
    program_cpu_ms: rounded(median(reports.map(({ cpu }) => cpu))),
    database_cpu_ms: rounded(median(reports.map(({ database }) => database))),
  };
}

async function measure(databases: Databases, program: string, args: readonly string[]): Promise<Report> {
  const server = databases.start();
  try {
    const report = await runProgram(program, [server.endpoint.path, ...args]);
    return { ...report, database: databases.processorMs(server) };
  } finally {
    databases.stop(server);
  }
}

/** Runs one of the programs beside this one; what it reports is its result. */
function runProgram(program: string, args: readonly string[]): Promise<ProgramReport> {
  return new Promise((resolve, reject) => {
    let report: ProgramReport | undefined;
    const child = fork(fileURLToPath(new URL(`${program}.mjs`, import.meta.url)), args);
    child.on('message', message => {
      report = message as ProgramReport;
    });
    child.on('error', reject);
    child.on('exit', code => {
      if (code === 0 && report) resolve(report);
      else reject(new Error(`${program} ended with ${code} before it was done`));
    });
  });
}
